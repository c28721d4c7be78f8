import type { Pool } from '../connect.js';

/** Which run, and whose scores: a `RunSummary` or a row of it. */
export interface ScoredRun {
  id: number;
  guardId: number;
}

/** A row of a run, with what became of it. */
export interface ItemRow {
  /** From 1. */
  seq: number;
  key: string;
  /** Null for a row that has none (yet). */
  score: number | null;
  /** What the model saw of it. */
  tokens: number | null;
  /** Its content ended in this. */
  error: string | null;
  /** It could not be read. */
  reject: string | null;
  truncated: boolean;
  /** What was given, as JSON (see `plainText`); null when it was not asked for, or is not retained. */
  json: string | null;
}

/** Rows of a run by their numbers, in that order; those that there are. */
export async function itemsBySeq(
  pool: Pool,
  run: ScoredRun,
  seqs: readonly number[],
  options: { texts?: boolean } = {},
): Promise<ItemRow[]> {
  const { rows } = await pool.query<ItemRow>(
    `select i.seq, i.key, s.score, s.tokens, s.error, i.reject, i.truncated, t.json
     from unnest($3::bigint[]) with ordinality as asked (seq, n)
     join items i on i.run_id = $1 and i.seq = asked.seq
     -- One look-up a row, whatever the planner thinks of the size of the tables.
     left join lateral (select score, tokens, error from scores where guard_id = $2 and content = i.content limit 1) s on true
     left join item_texts t on $4 and t.run_id = i.run_id and t.seq = i.seq
     order by n`,
    [run.id, run.guardId, seqs, options.texts === true],
  );
  return rows;
}

/** One row of a run with its text; undefined when there is none. */
export async function findItem(pool: Pool, run: ScoredRun, seq: number): Promise<ItemRow | undefined> {
  const [item] = await itemsBySeq(pool, run, [seq], { texts: true });
  return item;
}
