import { isUserError } from '@tocsin/core';
import { lockKey, type Pool } from '@tocsin/postgres';
import { indexTexts } from '../items/search-texts.js';
import { rankRun } from '../ranking/ranking.js';
import { OPEN_STATES } from './run-progress.js';

const PREPARE_LOCK = lockKey('prepare');
/** Runs that ended earlier than this are ranked on demand, and searched without an index. */
const RECENT_DAYS = 7;

/**
 * Prepares recently finished runs: ranks them and indexes their texts. Call it regularly from any number of processes;
 * one works at a time.
 */
export async function prepareRuns(pool: Pool, signal?: AbortSignal): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ alone: boolean }>(
      `select pg_try_advisory_lock(${PREPARE_LOCK}) as alone`,
    );
    if (rows[0]?.alone !== true) return;
    try {
      await prepare(pool, signal);
    } finally {
      await client.query(`select pg_advisory_unlock(${PREPARE_LOCK})`);
    }
  } finally {
    client.release();
  }
}

async function prepare(pool: Pool, signal: AbortSignal | undefined): Promise<void> {
  const { rows } = await pool.query<{ id: number; ranked: boolean; searchable: boolean }>(
    `select id, ranked, searchable
     from (select r.id, k.built_at is not null and k.built_at > r.finished_at as ranked,
                  r.searchable_at is not null as searchable
           from runs r left join run_rankings k on k.run_id = r.id
           where r.state not in ${OPEN_STATES} and r.finished_at > now() - make_interval(days => $1)) recent
     where not (ranked and searchable)
     order by id desc`,
    [RECENT_DAYS],
  );
  for (const { id, ranked, searchable } of rows) {
    signal?.throwIfAborted();
    if (!ranked) await rankIfThere(pool, id);
    if (!searchable) await indexTexts(pool, id, signal);
  }
}

async function rankIfThere(pool: Pool, runId: number): Promise<void> {
  try {
    await rankRun(pool, runId);
  } catch (error) {
    // It was deleted meanwhile.
    if (!isUserError(error)) throw error;
  }
}
