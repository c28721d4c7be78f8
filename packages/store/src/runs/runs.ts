import { DEFAULT_RETENTION, type Retention, type RunState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { eq, sql } from 'drizzle-orm';
import { guards, runs } from '../schema/pipeline.js';
import { inserted, runQuery } from '../schema/run-query.js';
import { OPEN_STATES } from './run-progress.js';

/** A guard as this database knows it. */
export interface RegisteredGuard {
  /** Whose scores are whose. */
  id: number;
  /** A uuid that names the guard's queue: another database's queue of the same guard has another. */
  queue: string;
}

/** Where a guard's scores are kept; the guard is registered if it was not. */
export async function registerGuard(pool: Pool, fingerprint: string, ref: string): Promise<RegisteredGuard> {
  // The update that changes nothing is what makes `returning` give the row in both cases.
  return inserted(
    await runQuery(pool, (db) =>
      db
        .insert(guards)
        .values({ fingerprint, ref })
        .onConflictDoUpdate({ target: guards.fingerprint, set: { fingerprint } })
        .returning({ id: guards.id, queue: guards.queue }),
    ),
  );
}

/** The uuid that names a guard's queue. */
export async function guardQueue(pool: Pool, guardId: number): Promise<string> {
  const [guard] = await runQuery(pool, (db) =>
    db.select({ queue: guards.queue }).from(guards).where(eq(guards.id, guardId)),
  );
  if (guard === undefined) throw new Error(`there is no guard ${guardId}`);
  return guard.queue;
}

export interface RunOptions {
  /** harmful when score >= threshold: which rows the run counts as flagged, and whose texts it retains. */
  threshold?: number;
  /** Whose texts stay in the store when the run is over; `flagged` by default. */
  retain?: Retention;
  /** uuid of the key that it is submitted with; none for the command line. */
  ownerKey?: string;
  /** Absolute paths of its files, directories and patterns. */
  sources?: readonly string[];
}

/**
 * A new run, in state `submitting`. Some process waits for it, and says so with `attendRun` now and then; else it is
 * taken for abandoned.
 */
export async function createRun(
  pool: Pool,
  guardId: number,
  name: string,
  { threshold, retain = DEFAULT_RETENTION, ownerKey, sources = [] }: RunOptions = {},
): Promise<number> {
  const values = { guardId, name, threshold, retain, ownerKey, sources: [...sources], seenAt: sql`now()` };
  return inserted(await runQuery(pool, (db) => db.insert(runs).values(values).returning({ id: runs.id }))).id;
}

/** Absolute paths of a run's files, directories and patterns, as it was submitted. */
export async function runSources(pool: Pool, runId: number): Promise<string[]> {
  const [run] = await runQuery(pool, (db) =>
    db.select({ sources: runs.sources }).from(runs).where(eq(runs.id, runId)),
  );
  return run?.sources ?? [];
}

/** Moves an open run on; a run that is over stays as it is. */
export async function setRunState(pool: Pool, runId: number, state: RunState): Promise<void> {
  await pool.query(
    `update runs
     set state = $2,
         submitted_at = case when $2 = 'scoring' then coalesce(submitted_at, now()) else submitted_at end,
         finished_at = case when $2 not in ${OPEN_STATES} then now() else finished_at end
     where id = $1 and state in ${OPEN_STATES}`,
    [runId, state],
  );
}

/** Rows of the runs of a key that are not over, in all. @param ownerKey uuid */
export async function openRowsOf(pool: Pool, ownerKey: string): Promise<number> {
  const { rows } = await pool.query<{ rows: number }>(
    `select coalesce(sum(rows), 0)::bigint as rows from runs
     where state in ${OPEN_STATES} and owner_key = $1`,
    [ownerKey],
  );
  return rows[0]?.rows ?? 0;
}

const MOST_NOTES = 100;
const NOTE_CHARACTERS = 2_000;

/** Keeps notes on a run's corpus with the run: the first 100 of them, instead of those that it had. */
export async function noteRun(pool: Pool, runId: number, notes: readonly string[]): Promise<void> {
  const kept = notes.slice(0, MOST_NOTES).map((note) => note.slice(0, NOTE_CHARACTERS).toWellFormed());
  await runQuery(pool, (db) => db.update(runs).set({ notes: kept }).where(eq(runs.id, runId)));
}

/** Notes on how a run's corpus was read: what was guessed, skipped or is doubtful; none of a run that is gone. */
export async function runNotes(pool: Pool, runId: number): Promise<string[]> {
  const [run] = await runQuery(pool, (db) =>
    db.select({ notes: runs.notes }).from(runs).where(eq(runs.id, runId)),
  );
  return run?.notes ?? [];
}
