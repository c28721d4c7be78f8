import type { Retention } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** Rows per statement. */
const BATCH_ROWS = 10_000;

/**
 * Deletes the texts of a run that are not retained, and reviewers' notes on them, in batches. Idempotent, and can be
 * interrupted.
 * @returns texts deleted
 */
export async function forgetTexts(
  pool: Pick<Pool, 'query'>,
  runId: number,
  retain: Retention,
): Promise<number> {
  if (retain === 'all') return 0;
  const deleted = await deleteTexts(pool, runId, retain);
  // A note may quote the text.
  await pool.query(
    `update verdicts v set note = null
     where run_id = $1 and note is not null
       and (select count(*) = 0 from item_texts t where t.run_id = v.run_id and t.seq = v.seq)`,
    [runId],
  );
  return deleted;
}

async function deleteTexts(
  pool: Pick<Pool, 'query'>,
  runId: number,
  retain: 'none' | 'flagged',
): Promise<number> {
  const { rows } = await pool.query<{ first: number | null; last: number | null }>(
    'select min(seq) as first, max(seq) as last from item_texts where run_id = $1',
    [runId],
  );
  const { first, last } = rows[0] ?? { first: null, last: null };
  if (first === null || last === null) return 0;
  let deleted = 0;
  for (let from = first; from <= last; from += BATCH_ROWS) {
    const { rowCount } = await pool.query(retain === 'none' ? DELETE_ALL : DELETE_UNFLAGGED, [
      runId,
      from,
      from + BATCH_ROWS,
    ]);
    deleted += rowCount ?? 0;
  }
  return deleted;
}

/** Deletes texts that should have been deleted earlier: of runs whose process was stopped before it could do so. */
export async function forgetStoppedTexts(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ id: number }>(
    `select id from runs
     where state in ('cancelled', 'failed') and retain <> 'all'
       and exists (select from item_texts where item_texts.run_id = runs.id)`,
  );
  for (const { id } of rows) await forgetTexts(pool, id, 'none');
}

const DELETE_ALL = 'delete from item_texts where run_id = $1 and seq >= $2 and seq < $3';

/**
 * A row without a score is not flagged, nor is any of a run without a threshold.
 * A scalar subquery is evaluated per row. The planner turns `exists` into a join, and with statistics from before the run
 * compares every text with every row: 6,000 rows took nine minutes.
 */
const DELETE_UNFLAGGED = `${DELETE_ALL} and (
  select (select s.score >= r.threshold from scores s where s.guard_id = r.guard_id and s.content = i.content)
  from items i join runs r on r.id = i.run_id
  where i.run_id = item_texts.run_id and i.seq = item_texts.seq) is not true`;

/** Rows of a run with stored texts. */
export async function keptTexts(pool: Pool, runId: number): Promise<number> {
  const { rows } = await pool.query<{ kept: number }>(
    'select count(*) as kept from item_texts where run_id = $1',
    [runId],
  );
  return rows[0]?.kept ?? 0;
}
