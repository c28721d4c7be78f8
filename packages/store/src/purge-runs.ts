import { UserError } from '@tocsin/errors';
import type { Pool } from './connect.js';
import { forgetTexts } from './forget-texts.js';
import { noSuchRun } from './retry-run.js';
import { inTransaction } from './transaction.js';

/** Which runs: one, or all that ended before so many days. Runs that are not over are never among them. */
export type PurgedRuns = { runId: number } | { olderThanDays: number };

/** @throws UserError when the run that is named does not exist or is not over */
export async function purgeableRuns(pool: Pool, which: PurgedRuns): Promise<number[]> {
  if ('olderThanDays' in which) {
    const { rows } = await pool.query<{ id: number }>(
      `select id from runs
       where state in ('done', 'cancelled') and finished_at < now() - $1 * interval '1 day' order by id`,
      [which.olderThanDays],
    );
    return rows.map((row) => row.id);
  }
  const { rows } = await pool.query<{ state: string }>('select state from runs where id = $1', [which.runId]);
  const [run] = rows;
  if (run === undefined) throw noSuchRun(which.runId);
  if (run.state === 'submitting' || run.state === 'scoring') {
    throw new UserError(`run ${which.runId} is not over, its state is ${run.state}`, {
      hint: `Cancel it first: tocsin cancel ${which.runId}`,
    });
  }
  return [which.runId];
}

/**
 * Deletes the texts of runs, and the tokens that their parcels still hold: those of contents that were cancelled or
 * ended in an error. Afterwards such a content can be scored only from its corpus.
 * @returns texts deleted
 */
export async function purgeTexts(pool: Pool, runIds: readonly number[]): Promise<number> {
  let deleted = 0;
  for (const runId of runIds) {
    deleted += await forgetTexts(pool, runId, 'none');
    await emptyParcels(pool, runId);
  }
  return deleted;
}

const BATCH_ROWS = 10_000;

/**
 * Deletes runs with their rows, texts and parcels. The scores stay: they belong to no run, and hold no text.
 * @returns rows deleted
 */
export async function purgeRuns(pool: Pool, runIds: readonly number[]): Promise<number> {
  let deleted = 0;
  for (const runId of runIds) {
    await purgeTexts(pool, [runId]);
    for (let more = true; more; ) {
      const { rowCount } = await pool.query(
        `delete from items where run_id = $1 and seq in (select seq from items where run_id = $1 limit $2)`,
        [runId, BATCH_ROWS],
      );
      deleted += rowCount ?? 0;
      more = rowCount === BATCH_ROWS;
    }
    await pool.query(`delete from runs where id = $1 and state in ('done', 'cancelled')`, [runId]);
  }
  return deleted;
}

/**
 * Deletes the scores of the contents that only these runs have. Call it before `purgeRuns`.
 * @returns scores deleted
 */
export function purgeScores(pool: Pool, runIds: readonly number[]): Promise<number> {
  return inTransaction(pool, async (client) => {
    // Together and not run by run: whether a content is anybody else's takes a look at every row that there is.
    const { rowCount } = await client.query(
      `with theirs as (
         select distinct r.guard_id, i.content
         from runs r join items i on i.run_id = r.id
         where r.id = any($1::bigint[]) and i.content is not null
       )
       delete from scores s using theirs
       where s.guard_id = theirs.guard_id and s.content = theirs.content
         and (s.score is not null or s.error is not null)
         and not exists (select from items i join runs r on r.id = i.run_id
                         where r.id <> all($1::bigint[]) and r.guard_id = s.guard_id and i.content = s.content)`,
      [runIds],
    );
    return rowCount ?? 0;
  });
}

/**
 * Whoever waits for a content of a cancelled parcel that is emptied here would wait for ever: the content gets an
 * error. The next run that has it claims it anew.
 */
function emptyParcels(pool: Pool, runId: number): Promise<void> {
  return inTransaction(pool, async (client) => {
    await client.query(
      `update scores set error = 'its tokens were purged before it was scored'
       from (select p.guard_id, p.id, substring(p.hashes from 32 * n + 1 for 32) as content
             from parcels p, generate_series(0, octet_length(p.hashes) / 32 - 1) n
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
  });
}
