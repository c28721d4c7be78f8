import type { Pool } from '@tocsin/postgres';
import { byteaArray } from '@tocsin/postgres';
import type { ScoredRun } from '../items/index.js';

/** A content of a run that somebody has judged, in this run or in another. */
export interface JudgedContent {
  /** The first of its rows in this run. */
  seq: number;
  key: string;
  score: number;
  /** Rows of this run that have it. */
  rows: number;
  /** Each reviewer's, the oldest first; skips are none. */
  verdicts: { reviewer: string; verdict: 'harmful' | 'fine' }[];
}

/**
 * What people have said of a run's contents, by the first row of each: what precision, recall and agreement are
 * worked out from. How many rows a judged one stands for is up to how the rows were chosen: see `countByScore`.
 */
export async function judgedContents(pool: Pool, run: ScoredRun): Promise<JudgedContent[]> {
  const said = await verdictsOf(pool, run.guardId);
  // What people have judged fits into a list, and with one the planner has no choice: it goes through the items once.
  const { rows } = await pool.query<Omit<JudgedContent, 'verdicts'> & { content: Buffer }>(
    `select here.content, here.seq, here.key, here.rows, s.score
     from (select content, min(seq) as seq, (array_agg(key order by seq))[1] as key, count(*) as rows
           from items where run_id = $1 and content = any($3::bytea[]) group by content) here
     cross join lateral (select score from scores where guard_id = $2 and content = here.content limit 1) s
     where s.score is not null
     order by here.seq`,
    [run.id, run.guardId, byteaArray([...said.values()].map(({ content }) => content))],
  );
  return rows.map(({ content, ...row }) => ({
    ...row,
    verdicts: said.get(content.toString('latin1'))?.verdicts ?? [],
  }));
}

interface Said {
  content: Buffer;
  verdicts: JudgedContent['verdicts'];
}

/** What was said of each content of a guard, by the content's bytes. */
async function verdictsOf(pool: Pool, guardId: number): Promise<Map<string, Said>> {
  const { rows } = await pool.query<Said>(
    `select content, jsonb_agg(jsonb_build_object('reviewer', reviewer, 'verdict', verdict)
                               order by created_at, id) as verdicts
     from verdicts where guard_id = $1 and undone_at is null and verdict <> 'skip' group by content`,
    [guardId],
  );
  return new Map(rows.map((row) => [row.content.toString('latin1'), row]));
}
