import { DistributionDrift } from '@tocsin/evaluate';
import { type Pool, withRetry } from '@tocsin/postgres';
import { eachScore, type FiringRow, newFlagged, type RunOutcome, runBefore, runOutcome } from '@tocsin/store';

/** What a scheduled run came to. Numbers only: no text, no key of a row. rows = new + known + duplicates + rejected. */
export interface RunSummary extends Omit<RunOutcome, 'fresh' | 'finishedAt'> {
  run: number;
  /** Rows whose content had no score before. */
  new: number;
  /** Contents that are flagged and that no row of the run before had. */
  newFlagged: number;
  /** Rows in each of 20 bins from 0 to 1. */
  distribution: number[];
  /** Against the schedule's run before; null when there is none whose rows are still known. */
  drift: Drift | null;
  /** From the start of the submission to the last score. */
  durationSeconds: number;
}

export interface Drift {
  /** The run before. */
  run: number;
  /** Whether it was scored by another guard: then the guard may have moved, and not the corpus. */
  otherGuard: boolean;
  /** Of the run before. */
  rows: number;
  flagged: number;
  /** Null when one of the runs has no score. */
  populationStability: number | null;
  kolmogorovSmirnov: number | null;
}

/** Sums up the run of a firing. Everything is asked of the store anew: to be broken off and done again is no harm. */
export async function summarize(
  pool: Pool,
  firing: Pick<FiringRow, 'scheduleId' | 'startedAt'>,
  runId: number,
): Promise<RunSummary> {
  const outcome = await withRetry(() => runOutcome(pool, runId));
  const before = await withRetry(() => runBefore(pool, firing.scheduleId, runId));
  const earlier = before === undefined ? undefined : await withRetry(() => runOutcome(pool, before));
  const measured = await withRetry(() => measure(pool, { now: runId, before }, outcome, earlier));
  const { guard, fingerprint, threshold, finishedAt } = outcome;
  const started = firing.startedAt ?? finishedAt;
  return {
    run: runId,
    guard,
    fingerprint,
    threshold,
    rows: outcome.rows,
    new: outcome.fresh,
    known: outcome.known,
    duplicates: outcome.duplicates,
    rejected: outcome.rejected,
    truncated: outcome.truncated,
    scored: outcome.scored,
    failed: outcome.failed,
    flagged: outcome.flagged,
    newFlagged: await withRetry(() => newFlagged(pool, runId, before)),
    distribution: measured.histogram.now,
    drift:
      before === undefined || earlier === undefined
        ? null
        : {
            run: before,
            otherGuard: earlier.fingerprint !== fingerprint,
            rows: earlier.rows,
            flagged: earlier.flagged,
            populationStability: measured.populationStability ?? null,
            kolmogorovSmirnov: measured.kolmogorovSmirnov ?? null,
          },
    durationSeconds: Math.max(0, (finishedAt.getTime() - started.getTime()) / 1000),
  };
}

async function measure(
  pool: Pool,
  runs: { now: number; before: number | undefined },
  outcome: RunOutcome,
  earlier: RunOutcome | undefined,
): Promise<DistributionDrift> {
  const drift = new DistributionDrift({ now: outcome.scored, before: earlier?.scored ?? 0 });
  await eachScore(pool, runs, (page) => {
    for (const count of page) drift.add(count);
  });
  return drift;
}
