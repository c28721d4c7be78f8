import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { and, desc, eq, gt, lte, notInArray, or, sql } from 'drizzle-orm';
import type pg from 'pg';
import type { ScoredRun } from '../items/items.js';
import type { RankedRow } from '../ranking/ranked-rows.js';
import { reviewLeases } from '../schema/dashboard.js';
import { runQuery } from '../schema/run-query.js';

/** Duration of a lease; renewed while the page is open. */
export const REVIEW_LEASE_SECONDS = 600;

/** A row leased to a reviewer: no one else gets it, or another row with its content. */
export type LeasedRow = Pick<typeof reviewLeases.$inferSelect, 'seq' | 'until'>;

const { guardId, content, seq, until } = reviewLeases;
/** From now on. */
const LEASED_UNTIL = sql`now() + make_interval(secs => ${REVIEW_LEASE_SECONDS})`;

/** Which contents a reviewer may lease. */
export interface Wanted {
  reviewer: string;
  /** Contents judged by exactly one other reviewer, instead of ones without a verdict. */
  second: boolean;
}

/** The reviewer's latest lease, except those in `besides`. */
export async function heldReview(
  pool: Pool,
  runId: number,
  reviewer: string,
  besides: readonly number[] = [],
): Promise<LeasedRow | undefined> {
  const [held] = await runQuery(pool, (db) => {
    const live = and(eq(reviewLeases.reviewer, reviewer), gt(until, sql`now()`));
    const newest = db
      .select({ guardId, content })
      .from(reviewLeases)
      .where(and(live, eq(reviewLeases.runId, runId), notInArray(seq, [...besides])))
      .orderBy(desc(until))
      .limit(1);
    return db
      .update(reviewLeases)
      .set({ until: LEASED_UNTIL })
      .where(and(sql`(${guardId}, ${content}) in ${newest}`, live))
      .returning({ seq, until });
  });
  return held;
}

/** Releases a reviewer's leases in a run, and expired ones. */
export async function releaseReviews(pool: Pool, runId: number, reviewer: string): Promise<void> {
  const gone = or(eq(reviewLeases.reviewer, reviewer), lte(until, sql`now()`));
  await runQuery(pool, (db) => db.delete(reviewLeases).where(and(eq(reviewLeases.runId, runId), gone)));
}

/**
 * SQL: whether reviewer $2 may lease the content `i.content` of guard $1. Counts instead of `exists`, which the planner
 * turns into joins that, without statistics, compare every row with every verdict.
 */
const OF_CONTENT = 'v.guard_id = $1 and v.content = i.content and v.undone_at is null';
const UNJUDGED = `(select count(*) = 0 from verdicts v where ${OF_CONTENT} and (v.verdict <> 'skip' or v.reviewer = $2))`;
const JUDGED_ONCE = `(select count(*) = 1 and bool_and(v.reviewer <> $2) from verdicts v
  where ${OF_CONTENT} and (v.verdict <> 'skip' or v.reviewer = $2))`;
const mayHave = ({ second }: Wanted) => (second ? JUDGED_ONCE : UNJUDGED);

/**
 * Leases the first free row: its content is not leased, it matches the request, and its text is stored.
 * @returns undefined when none is free
 */
export async function leaseFirst(
  pool: Pool,
  run: ScoredRun,
  wanted: Wanted,
  rows: readonly RankedRow[],
): Promise<LeasedRow | undefined> {
  const passed = new Set<number>();
  for (;;) {
    const left = rows.filter(({ seq }) => !passed.has(seq)).map(({ seq }) => seq);
    const free = left.length === 0 ? undefined : await firstFree(pool, run, wanted, left);
    if (free === undefined) return undefined;
    const leased = await inTransaction(pool, (client) => lease(client, run, wanted, free));
    if (leased !== undefined) return leased;
    passed.add(free.seq);
  }
}

interface FreeRow {
  seq: number;
  content: Buffer;
}

async function firstFree(
  pool: Pool,
  run: ScoredRun,
  wanted: Wanted,
  seqs: number[],
): Promise<FreeRow | undefined> {
  const { rows } = await pool.query<FreeRow>(
    `select i.seq, i.content
     from unnest($4::bigint[]) with ordinality as asked (seq, n)
     join items i on i.run_id = $3 and i.seq = asked.seq
     join item_texts t on t.run_id = $3 and t.seq = asked.seq
     where ${mayHave(wanted)}
       and (select count(*) = 0 from review_leases l
            where l.guard_id = $1 and l.content = i.content and l.until > now())
     order by n limit 1`,
    [run.guardId, wanted.reviewer, run.id, seqs],
  );
  return rows[0];
}

/**
 * Concurrent leases of the same content wait here for the unique key; the second finds it taken. The content may have
 * been judged since the look-up, so this is checked again under the lock.
 */
async function lease(
  client: pg.PoolClient,
  run: ScoredRun,
  wanted: Wanted,
  { seq, content }: FreeRow,
): Promise<LeasedRow | undefined> {
  const { rows } = await client.query<LeasedRow>(
    `insert into review_leases (guard_id, content, run_id, seq, reviewer, until)
     values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     on conflict (guard_id, content) do update
     set run_id = excluded.run_id, seq = excluded.seq, reviewer = excluded.reviewer, until = excluded.until
     where review_leases.until <= now()
     returning seq, until`,
    [run.guardId, content, run.id, seq, wanted.reviewer, REVIEW_LEASE_SECONDS],
  );
  const [leased] = rows;
  if (leased === undefined) return undefined;
  const { rowCount } = await client.query(
    `select from (select $3::bytea as content) i where ${mayHave(wanted)}`,
    [run.guardId, wanted.reviewer, content],
  );
  if (rowCount === 1) return leased;
  await client.query('delete from review_leases where guard_id = $1 and content = $2', [
    run.guardId,
    content,
  ]);
  return undefined;
}
