import { listKeys, type Pool, type RunSummary } from '@tocsin/store';
import type { RunSummary as RunAnswer } from '../contract/index.js';
import { isOver, progressOf } from './progress.js';

/** Makes answers of runs; the names of the keys are looked up once. */
export async function runAnswers(pool: Pool): Promise<(run: RunSummary) => Promise<RunAnswer>> {
  const names = new Map((await listKeys(pool)).map(({ id, name }) => [id, name]));
  return async (run) => {
    const { id, name, guard, fingerprint, state, reason, threshold, retain, ownerKey } = run;
    return {
      ...{ id, name, guard, fingerprint, state, reason, threshold, retain },
      createdAt: run.createdAt.toISOString(),
      finishedAt: run.finishedAt?.toISOString() ?? null,
      owner: ownerKey === null ? null : (names.get(ownerKey) ?? null),
      counters: countersOf(run),
      outcome: run.ranked === null ? null : outcomeOf(run, run.ranked),
      progress: isOver(state) ? null : await progressOf(pool, run),
    };
  };
}

export function countersOf(run: RunSummary): RunAnswer['counters'] {
  const { rows, fresh, known, duplicates, rejected, truncated } = run;
  return { rows, fresh, known, duplicates, rejected, truncated };
}

function outcomeOf(
  { rows, rejected }: RunSummary,
  { asOf, final, scored, failed, flagged }: NonNullable<RunSummary['ranked']>,
): NonNullable<RunAnswer['outcome']> {
  // The rows may have been counted later than their scores.
  const left = Math.max(0, rows - rejected - scored - failed);
  return { asOf: asOf.toISOString(), final, scored, failed, left, flagged };
}
