import { UserError, type Verdict } from '@tocsin/core';
import { byteaArray, inTransaction, type Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import type { ScoredRun } from '../items/items.js';
import { reviewLeases, verdicts } from '../schema/dashboard.js';
import { inserted, runQuery } from '../schema/run-query.js';

const { guardId, content, runId, undoneAt, ...VERDICT } = getTableColumns(verdicts);
/** A reviewer's verdict on a content. */
export type VerdictRow = Omit<typeof verdicts.$inferSelect, 'guardId' | 'content' | 'runId' | 'undoneAt'>;

export interface NewVerdict {
  seq: number;
  reviewer: string;
  verdict: Verdict;
  note?: string;
}

/**
 * Stores a verdict, which replaces the reviewer's earlier one on the same content, and releases the row. An expired lease is
 * accepted unless another reviewer has the row now.
 * @throws UserError when another reviewer has it now
 * @returns undefined when the run has no such row, or it has no score
 */
export function giveVerdict(pool: Pool, run: ScoredRun, given: NewVerdict): Promise<VerdictRow | undefined> {
  return inTransaction(pool, async (client) => {
    // SQL: one look-up in scores, whatever the planner's statistics. As a join it scanned all scores.
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
 * Undoes a reviewer's last verdict in a run; called again, the one before it.
 * @returns undefined when none is left
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

/** The number of a reviewer's verdicts in a run. */
export interface ReviewerCounts {
  reviewer: string;
  harmful: number;
  fine: number;
  skip: number;
}

/** All reviewers of a run, by name. */
export async function reviewerCounts(pool: Pool, runId: number): Promise<ReviewerCounts[]> {
  const { rows } = await pool.query<ReviewerCounts>(
    `select reviewer, count(*) filter (where verdict = 'harmful') as harmful,
            count(*) filter (where verdict = 'fine') as fine, count(*) filter (where verdict = 'skip') as skip
     from verdicts where run_id = $1 and undone_at is null group by reviewer order by reviewer`,
    [runId],
  );
  return rows;
}

/** A content of a run that has verdicts, from this run or another. */
export interface JudgedContent {
  /** Its first row in this run. */
  seq: number;
  key: string;
  score: number;
  /** Its rows in this run. */
  rows: number;
  /** One per reviewer, oldest first; skips are excluded. */
  verdicts: { reviewer: string; verdict: 'harmful' | 'fine' }[];
}

/**
 * The verdicts on a run's contents, by the first row of each, for precision, recall and agreement. The sampling
 * determines how many rows a judged one represents: see `countByScore`.
 */
export async function judgedContents(pool: Pool, run: ScoredRun): Promise<JudgedContent[]> {
  const said = await verdictsOf(pool, run.guardId);
  // The judged contents fit into a list, which leaves the planner no choice: it scans the items once.
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

/** The verdicts on each content of a guard, by the content's bytes. */
async function verdictsOf(pool: Pool, guardId: number): Promise<Map<string, Said>> {
  const { rows } = await pool.query<Said>(
    `select content, jsonb_agg(jsonb_build_object('reviewer', reviewer, 'verdict', verdict)
                               order by created_at, id) as verdicts
     from verdicts where guard_id = $1 and undone_at is null and verdict <> 'skip' group by content`,
    [guardId],
  );
  return new Map(rows.map((row) => [row.content.toString('latin1'), row]));
}
