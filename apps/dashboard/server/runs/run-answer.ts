import type { RunSummary as RunAnswer } from '@tocsin/contract';
import { isOpen } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { listKeys, type Run, type RunCounts } from '@tocsin/store';
import { type Progress, progressOf } from './progress.js';

/**
 * Makes answers of runs; the names of the keys are looked up once.
 * @param ownOnly for a key that sees its own runs only
 */
export async function runAnswers(pool: Pool, ownOnly: boolean): Promise<(run: Run) => Promise<RunAnswer>> {
  const names = new Map((await listKeys(pool)).map(({ id, name }) => [id, name]));
  return async (run) => {
    const { id, name, guard, fingerprint, state, reason, threshold, retain, ownerKey } = run;
    return {
      id,
      name,
      guard,
      fingerprint,
      state,
      reason,
      threshold,
      retain,
      createdAt: run.createdAt.toISOString(),
      finishedAt: run.finishedAt?.toISOString() ?? null,
      owner: ownerKey === null ? null : (names.get(ownerKey) ?? null),
      counters: countersOf(run, ownOnly),
      outcome: outcomeOf(run),
      progress: isOpen(state) ? progressFor(await progressOf(pool, run), run, ownOnly) : null,
    };
  };
}

/** A key that sees its own runs only is not told which of its texts others have had scored: those count as fresh. */
export function countersOf(run: RunCounts, ownOnly: boolean): RunAnswer['counters'] {
  const { rows, fresh, known, duplicates, rejected, truncated } = run;
  const told = ownOnly ? { fresh: fresh + known, known: 0 } : { fresh, known };
  return { rows, ...told, duplicates, rejected, truncated };
}

/** The same of a run's progress: what was known counts as work that is done. */
export function progressFor(progress: Progress, { known }: RunCounts, ownOnly: boolean): Progress {
  if (!ownOnly) return progress;
  const { contents, contentsDone } = progress;
  return { ...progress, contents: contents + known, contentsDone: contentsDone + known };
}

function outcomeOf({ countedAt, final, scored, failed, left, flagged }: Run): RunAnswer['outcome'] {
  if (countedAt === null) return null;
  return { asOf: countedAt.toISOString(), final, scored, failed, left, flagged };
}
