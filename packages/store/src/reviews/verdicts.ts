import { UserError, type Verdict } from '@tocsin/core';
import { byteaArray, inTransaction, type Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import type { ScoredRun } from '../items/items.js';
import { reviewLeases, verdicts } from '../schema/dashboard.js';
import { inserted, runQuery } from '../schema/run-query.js';

const { guardId, content, runId, undoneAt, ...VERDICT } = getTableColumns(verdicts);
/** What somebody said of a content. */
export type VerdictRow = Omit<typeof verdicts.$inferSelect, 'guardId' | 'content' | 'runId' | 'undoneAt'>;

export interface NewVerdict {
  seq: number;
  reviewer: string;
  verdict: Verdict;
  note?: string;
}

/**
 * Keeps what a reviewer says of a row, in place of what the same reviewer has said of its content before, and lets the row
 * go. The lease may have run out, as long as nobody else has the row.
 * @throws UserError when another reviewer has it now
 * @returns undefined when the run has no such row, or it has no score
 */
export function giveVerdict(pool: Pool, run: ScoredRun, given: NewVerdict): Promise<VerdictRow | undefined> {
  return inTransaction(pool, async (client) => {
    // SQL: one look-up in scores, whatever the planner thinks of the tables' sizes. As a join it went through all of them.
    const { rows } = await client.query<{ content: Buffer; score: number }>(
      `select i.content, s.score
       from items i
       cross join lateral (select score from scores where guard_id = $2 and content = i.content limit 1) s
       where i.run_id = $1 and i.seq = $3 and s.score is not null`,
      [run.id, run.guardId, given.seq],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const ofContent = and(eq(reviewLeases.guardId, run.guardId), eq(reviewLeases.content, row.content));
    const [lease] = await runQuery(client, (db) =>
      db
        .select({ reviewer: reviewLeases.reviewer, live: sql<boolean>`${reviewLeases.until} > now()` })
        .from(reviewLeases)
        .where(ofContent)
        .for('update'),
    );
    if (lease?.live === true && lease.reviewer !== given.reviewer) {
      throw new UserError(`row ${given.seq} is with another reviewer now`, {
        hint: 'It was before you for more than ten minutes. Ask for the next row.',
      });
    }
    const said = { runId: run.id, note: null, score: row.score, ...given };
    const kept = inserted(
      await runQuery(client, (db) =>
        db
          .insert(verdicts)
          .values({ guardId: run.guardId, content: row.content, ...said })
          .onConflictDoUpdate({
            target: [guardId, content, verdicts.reviewer],
            targetWhere: isNull(undoneAt),
            set: { ...said, createdAt: sql`now()` },
          })
          .returning(VERDICT),
      ),
    );
    await runQuery(client, (db) =>
      db.delete(reviewLeases).where(and(ofContent, eq(reviewLeases.reviewer, given.reviewer))),
    );
    return kept;
  });
}

/**
 * Takes back what a reviewer said last in a run; again, what was said before that.
 * @returns undefined when there is nothing left to take back
 */
export async function undoVerdict(
  pool: Pool,
  run: number,
  reviewer: string,
): Promise<VerdictRow | undefined> {
  const [undone] = await runQuery(pool, (db) => {
    const last = db
      .select({ id: verdicts.id })
      .from(verdicts)
      .where(and(eq(runId, run), eq(verdicts.reviewer, reviewer), isNull(undoneAt)))
      .orderBy(desc(verdicts.createdAt), desc(verdicts.id))
      .limit(1);
    return db
      .update(verdicts)
      .set({ undoneAt: sql`now()` })
      .where(and(eq(verdicts.id, last), isNull(undoneAt)))
      .returning(VERDICT);
  });
  return undone;
}

/** How much somebody has said in a run. */
export interface ReviewerCounts {
  reviewer: string;
  harmful: number;
  fine: number;
  skip: number;
}

/** Whoever has said something in a run, by name. */
export async function reviewerCounts(pool: Pool, runId: number): Promise<ReviewerCounts[]> {
  const { rows } = await pool.query<ReviewerCounts>(
    `select reviewer, count(*) filter (where verdict = 'harmful') as harmful,
            count(*) filter (where verdict = 'fine') as fine, count(*) filter (where verdict = 'skip') as skip
     from verdicts where run_id = $1 and undone_at is null group by reviewer order by reviewer`,
    [runId],
  );
  return rows;
}

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
