import { UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { findRun, noSuchRun, waitingGuards } from '@tocsin/store';
import type { Logger } from 'pino';

/** A worker's guard. */
export interface WorkingGuard {
  id: number;
  /** Name for messages. */
  text: string;
  fingerprint: string;
}

/** @throws UserError when the run uses another guard: this worker would never take its parcels */
export async function requireGuardOfRun(pool: Pool, runId: number, guard: WorkingGuard): Promise<void> {
  const run = await findRun(pool, runId);
  if (run === undefined) throw noSuchRun(runId);
  if (run.fingerprint === guard.fingerprint) return;
  throw new UserError(
    `run ${runId} is to be scored by ${named(run.guard, run.fingerprint)}, and this worker's guard is ${named(guard.text, guard.fingerprint)}`,
    { hint: 'Start the worker with the --guard, --backbone and --precision of the run.' },
  );
}

/** Warns when the database only has work for other guards: this is probably the wrong guard. */
export async function warnOfOtherGuards(pool: Pool, guard: WorkingGuard, log: Logger): Promise<void> {
  const waiting = await waitingGuards(pool);
  if (waiting.length === 0 || waiting.some(({ guardId }) => guardId === guard.id)) return;
  const others = waiting.map(({ ref, fingerprint, parcels }) => `${named(ref, fingerprint)} (${parcels})`);
  log.warn(
    { guard: named(guard.text, guard.fingerprint), others },
    'no parcel waits for this guard, but parcels wait for other guards',
  );
}

const named = (text: string, fingerprint: string): string => `${text} [${fingerprint.slice(0, 12)}]`;
