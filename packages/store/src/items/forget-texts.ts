import type { Retention } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** Rows that one statement looks at. */
const BATCH_ROWS = 10_000;

/**
 * Deletes the texts of a run that are not retained, a batch at a time, and what reviewers have noted of them. Doing it
 * again, or from where it was broken off, is the same.
 * @returns how many texts were deleted
 */
export async function forgetTexts(
  pool: Pick<Pool, 'query'>,
  runId: number,
  retain: Retention,
): Promise<number> {
  if (retain === 'all') return 0;
  const deleted = await deleteTexts(pool, runId, retain);
  // A note may quote what it is about.
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

/** Deletes what was retained for too long: texts of runs that were stopped when their process could not do it. */
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
 * A row without a score is not flagged, nor is any of a run that has no threshold.
 *
 * A subquery that gives a value is looked up for each row. Of `exists` the planner makes a join, and where its statistics
 * are of before the run, it takes the run's rows for one and compares every text with every row: 6,000 took nine minutes.
 */
const DELETE_UNFLAGGED = `${DELETE_ALL} and (
  select (select s.score >= r.threshold from scores s where s.guard_id = r.guard_id and s.content = i.content)
  from items i join runs r on r.id = i.run_id
  where i.run_id = item_texts.run_id and i.seq = item_texts.seq) is not true`;

/** Rows of a run whose texts are in the store. */
export async function keptTexts(pool: Pool, runId: number): Promise<number> {
  const { rows } = await pool.query<{ kept: number }>(
    'select count(*) as kept from item_texts where run_id = $1',
    [runId],
  );
  return rows[0]?.kept ?? 0;
}
