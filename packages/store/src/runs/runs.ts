import { DEFAULT_RETENTION, type Retention, type RunState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { eq, sql } from 'drizzle-orm';
import { guards, runs } from '../schema/pipeline.js';
import { inserted, runQuery } from '../schema/run-query.js';
import { OPEN_STATES } from './run-progress.js';

/** A guard's record in this database. */
export interface RegisteredGuard {
  /** Id that scores refer to. */
  id: number;
  /** A uuid that names the guard's queue; unique per database. */
  queue: string;
}

/** The record of a guard; registers it if necessary. */
export async function registerGuard(pool: Pool, fingerprint: string, ref: string): Promise<RegisteredGuard> {
  // The no-op update makes `returning` yield the row in both cases.
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
  /** Scores from it on are flagged, which also determines the retained texts. */
  threshold?: number;
  /** Whose texts stay after the run; default `flagged`. */
  retain?: Retention;
  /** uuid of the submitting key; none for the command line. */
  ownerKey?: string;
  /** Absolute paths of its files, directories and globs. */
  sources?: readonly string[];
}

/** A new run in state `submitting`. Its process must send heartbeats (`attendRun`). */
export async function createRun(
  pool: Pool,
  guardId: number,
  name: string,
  { threshold, retain = DEFAULT_RETENTION, ownerKey, sources = [] }: RunOptions = {},
): Promise<number> {
  const values = { guardId, name, threshold, retain, ownerKey, sources: [...sources], seenAt: sql`now()` };
  return inserted(await runQuery(pool, (db) => db.insert(runs).values(values).returning({ id: runs.id }))).id;
}

/** Absolute paths of a run's files, directories and globs. */
export async function runSources(pool: Pool, runId: number): Promise<string[]> {
  const [run] = await runQuery(pool, (db) =>
    db.select({ sources: runs.sources }).from(runs).where(eq(runs.id, runId)),
  );
  return run?.sources ?? [];
}

/** Changes the state of an open run; a finished run stays unchanged. */
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

/** Total rows in the open runs of a key. @param ownerKey uuid */
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

/** Replaces the notes on a run's corpus; at most 100. */
export async function noteRun(pool: Pool, runId: number, notes: readonly string[]): Promise<void> {
  const kept = notes.slice(0, MOST_NOTES).map((note) => note.slice(0, NOTE_CHARACTERS).toWellFormed());
  await runQuery(pool, (db) => db.update(runs).set({ notes: kept }).where(eq(runs.id, runId)));
}

/** Notes on a run's corpus: what was guessed or skipped, or looks doubtful; none for a deleted run. */
export async function runNotes(pool: Pool, runId: number): Promise<string[]> {
  const [run] = await runQuery(pool, (db) =>
    db.select({ notes: runs.notes }).from(runs).where(eq(runs.id, runId)),
  );
  return run?.notes ?? [];
}
