import type { Pool } from '@tocsin/postgres';

/** What the reviewers of a guard's contents said, with the guard's scores. */
export interface JudgedScores {
  rows: { content: string; score: number; label: 0 | 1 }[];
  /** Contents with as many verdicts for harmful as for fine. */
  ties: number;
}

/**
 * The majority verdict on each content that has verdicts for a guard, from all runs, in the order of contents.
 * @param fingerprint of the guard, 64 hex digits
 */
export async function judgedScores(pool: Pool, fingerprint: string): Promise<JudgedScores> {
  const { rows } = await pool.query<{ content: string; score: number; lead: number }>(
    `select encode(v.content, 'hex') as content, s.score, v.lead
     from (select guard_id, content, sum(case verdict when 'harmful' then 1 else -1 end)::int as lead
           from verdicts
           where guard_id = (select id from guards where fingerprint = $1)
             and undone_at is null and verdict <> 'skip'
           group by guard_id, content) v
     cross join lateral (select score from scores where guard_id = v.guard_id and content = v.content limit 1) s
     where s.score is not null
     order by v.content`,
    [fingerprint],
  );
  const decided = rows.filter(({ lead }) => lead !== 0);
  return {
    rows: decided.map(({ content, score, lead }) => ({ content, score, label: lead > 0 ? 1 : 0 })),
    ties: rows.length - decided.length,
  };
}
