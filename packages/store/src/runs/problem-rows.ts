import type { Pool } from '@tocsin/postgres';

/** A row without a score, and why. */
export interface ProblemRow {
  seq: number;
  key: string;
  /** It could not be read; else it could not be scored. */
  unreadable: boolean;
  reason: string;
}

/** Rows of a run that could not be read or scored: the first so many after a row. */
export async function problemRows(
  pool: Pool,
  runId: number,
  limit: number,
  after = 0,
): Promise<ProblemRow[]> {
  const { rows } = await pool.query<ProblemRow>(
    `select i.seq, i.key, i.reject is not null as unreadable, coalesce(i.reject, s.error) as reason
     from runs r join items i on i.run_id = r.id
     left join lateral (select error from scores
                        where guard_id = r.guard_id and content = i.content limit 1) s on true
     where r.id = $1 and i.seq > $3 and (i.reject is not null or s.error is not null)
     order by i.seq
     limit $2`,
    [runId, limit, after],
  );
  return rows;
}

/** Why rows of a run have no score: how many have the same reason, and the first of them. */
export interface ProblemReason {
  rows: number;
  first: ProblemRow;
}

/**
 * The reasons that most rows have, the most frequent first. Reasons that differ only in where the row stands, in numbers
 * and in names between quotes are one. Every row of the run is looked at: ask only when there are rows without a score.
 */
export async function problemReasons(pool: Pool, runId: number, limit: number): Promise<ProblemReason[]> {
  const { rows } = await pool.query<ProblemRow & { rows: number }>(
    `select reasons.rows, i.seq, i.key, i.reject is not null as unreadable, coalesce(i.reject, s.error) as reason
     from (select count(*) as rows, min(i.seq) as seq
           from runs r join items i on i.run_id = r.id
           left join lateral (select error from scores
                              where guard_id = r.guard_id and content = i.content limit 1) s on true
           where r.id = $1 and (i.reject is not null or s.error is not null)
           group by i.reject is not null, ${SENTENCE}
           order by rows desc, seq limit $2) reasons
     join runs r on r.id = $1
     join items i on i.run_id = $1 and i.seq = reasons.seq
     left join lateral (select error from scores
                        where guard_id = r.guard_id and content = i.content limit 1) s on true
     order by reasons.rows desc, i.seq`,
    [runId, limit],
  );
  return rows.map(({ rows: count, ...first }) => ({ rows: count, first }));
}

/** SQL: a reason without the row's place (`rows.csv, line 17: `), its numbers and its quoted names. */
const SENTENCE = `regexp_replace(regexp_replace(coalesce(i.reject, s.error), '^.*?, (line|row) [0-9,]+: ', ''),
             '"[^"]*"|[0-9][0-9,.]*', '', 'g')`;
