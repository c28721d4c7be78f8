import { HASH_BYTES, isOpen, type RunState, UserError } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import type pg from 'pg';
import { purgeRunFiles } from '../files/files.js';
import { forgetTexts } from '../items/forget-texts.js';
import { noSuchRun } from './retry-run.js';
import { OPEN_STATES } from './run-progress.js';

/** Which runs: one, or all that ended more than this many days ago. Open runs are excluded. */
export type PurgedRuns = { runId: number } | { olderThanDays: number };

/** @throws UserError when the named run does not exist or is open */
export async function purgeableRuns(pool: Pool, which: PurgedRuns): Promise<number[]> {
  if ('olderThanDays' in which) {
    const { rows } = await pool.query<{ id: number }>(
      `select id from runs
       where state not in ${OPEN_STATES} and finished_at < now() - $1 * interval '1 day' order by id`,
      [which.olderThanDays],
    );
    return rows.map((row) => row.id);
  }
  const { rows } = await pool.query<{ state: RunState }>('select state from runs where id = $1', [
    which.runId,
  ]);
  const [run] = rows;
  if (run === undefined) throw noSuchRun(which.runId);
  requireOver(which.runId, run.state);
  return [which.runId];
}

function requireOver(runId: number, state: RunState): void {
  if (!isOpen(state)) return;
  throw new UserError(`run ${runId} is not over, its state is ${state}`, {
    hint: `Cancel it first: tocsin runs cancel ${runId}`,
  });
}

/**
 * Locks runs against retries (`retryRun`) until the transaction ends, in the order of their ids, so that purges cannot deadlock.
 * @throws UserError when one was retried meanwhile
 */
async function holdRuns(client: pg.PoolClient, runIds: readonly number[]): Promise<void> {
  const { rows } = await client.query<{ id: number; state: RunState }>(
    'select id, state from runs where id = any($1::bigint[]) order by id for update',
    [runIds],
  );
  for (const { id, state } of rows) requireOver(id, state);
}

/**
 * Deletes the texts of runs, their files of the API, reviewers' notes, and the tokens in their parcels (of cancelled or failed
 * contents). After that such a content can only be scored from its corpus.
 * @returns texts deleted
 * @throws UserError when a run is open
 */
export async function purgeTexts(pool: Pool, runIds: readonly number[]): Promise<number> {
  let deleted = 0;
  for (const runId of runIds) {
    deleted += await inTransaction(pool, async (client) => {
      await holdRuns(client, [runId]);
      return emptyRun(client, runId);
    });
  }
  return deleted;
}

async function emptyRun(client: pg.PoolClient, runId: number): Promise<number> {
  const deleted = await forgetTexts(client, runId, 'none');
  await emptyParcels(client, runId);
  await purgeRunFiles(client, [runId]);
  return deleted;
}

/**
 * Deletes runs with their rows, texts, rankings and parcels, each in one transaction. Scores and verdicts stay: they belong to
 * no run, and contain no text.
 * @returns rows deleted
 * @throws UserError when a run is open; those before it are deleted
 */
export async function purgeRuns(pool: Pool, runIds: readonly number[]): Promise<number> {
  let deleted = 0;
  for (const runId of runIds) {
    deleted += await inTransaction(pool, async (client) => {
      await holdRuns(client, [runId]);
      await emptyRun(client, runId);
      const { rowCount } = await client.query('delete from items where run_id = $1', [runId]);
      await client.query('delete from runs where id = $1', [runId]);
      return rowCount ?? 0;
    });
  }
  return deleted;
}

/**
 * Deletes the scores and verdicts of contents that only these runs have. Call it before `purgeRuns`.
 * @returns scores deleted
 * @throws UserError when a run is open
 */
export function purgeScores(pool: Pool, runIds: readonly number[]): Promise<number> {
  return inTransaction(pool, async (client) => {
    await holdRuns(client, runIds);
    // All runs together, because finding shared contents scans every row of the table.
    const { rowCount } = await client.query(
      `delete from scores s
       using (select r.guard_id, i.content
              from runs r join items i on i.run_id = r.id
              where r.guard_id in (select guard_id from runs where id = any($1::bigint[])) and i.content is not null
              group by r.guard_id, i.content
              having bool_and(r.id = any($1::bigint[]))) theirs
       where s.guard_id = theirs.guard_id and s.content = theirs.content
         and (s.score is not null or s.error is not null)`,
      [runIds],
    );
    // Remaining verdicts without a score belong to these contents.
    await client.query(
      `delete from verdicts v
       where v.guard_id in (select guard_id from runs where id = any($1::bigint[]))
         and (select count(*) = 0 from scores s where s.guard_id = v.guard_id and s.content = v.content)`,
      [runIds],
    );
    return rowCount ?? 0;
  });
}

/**
 * A run may wait for a content of a cancelled parcel that is emptied here: the content gets an error, so that the run
 * can end. The next run claims it again.
 */
async function emptyParcels(client: pg.PoolClient, runId: number): Promise<void> {
  // A run that claims one of them either comes first, or waits and finds it gone.
  await client.query(`select from parcels where run_id = $1 and state = 'cancelled' order by id for update`, [
    runId,
  ]);
  await client.query(
    `update scores set error = 'its tokens were purged before it was scored'
       from (select p.guard_id, p.id, substring(p.hashes from ${HASH_BYTES} * n + 1 for ${HASH_BYTES}) as content
             from parcels p, generate_series(0, octet_length(p.hashes) / ${HASH_BYTES} - 1) n
             where p.run_id = $1 and p.state = 'cancelled') held
       where scores.guard_id = held.guard_id and scores.content = held.content
         and scores.parcel_id = held.id and scores.score is null and scores.error is null`,
    [runId],
  );
  await client.query(
    `update parcels set state = 'done', hashes = null, lengths = null, token_ids = null, finished_at = now()
       where run_id = $1 and (state = 'cancelled' or (state = 'done' and hashes is not null))`,
    [runId],
  );
}
