import { DistributionDrift } from '@tocsin/evaluate';
import { type Pool, withRetry } from '@tocsin/postgres';
import {
  eachScore,
  type FiringRow,
  getRun,
  newFlagged,
  type Run,
  type RunCounts,
  runBefore,
} from '@tocsin/store';

/** What a scheduled run came to. Numbers only: no text, no key of a row. rows = new + known + duplicates + rejected. */
export interface FiringSummary
  extends Pick<Run, 'guard' | 'fingerprint' | 'threshold'>,
    Pick<RunCounts, 'rows' | 'known' | 'duplicates' | 'rejected' | 'truncated' | 'scored' | 'failed'> {
  run: number;
  /** Rows with score >= threshold; 0 when there is none. */
  flagged: number;
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

interface Drift {
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
): Promise<FiringSummary> {
  const run = await withRetry(() => getRun(pool, runId));
  const before = await withRetry(() => runBefore(pool, firing.scheduleId, runId));
  const earlier = before === undefined ? undefined : await withRetry(() => getRun(pool, before));
  const measured = await withRetry(() => measure(pool, { now: runId, before }, run, earlier));
  const { guard, fingerprint, threshold, finishedAt } = run;
  const ended = finishedAt ?? new Date();
  const started = firing.startedAt ?? ended;
  return {
    run: runId,
    guard,
    fingerprint,
    threshold,
    rows: run.rows,
    new: run.fresh,
    known: run.known,
    duplicates: run.duplicates,
    rejected: run.rejected,
    truncated: run.truncated,
    scored: run.scored,
    failed: run.failed,
    flagged: run.flagged ?? 0,
    newFlagged: await withRetry(() => newFlagged(pool, runId, before)),
    distribution: measured.histogram.now,
    drift:
      before === undefined || earlier === undefined
        ? null
        : {
            run: before,
            otherGuard: earlier.fingerprint !== fingerprint,
            rows: earlier.rows,
            flagged: earlier.flagged ?? 0,
            populationStability: measured.populationStability ?? null,
            kolmogorovSmirnov: measured.kolmogorovSmirnov ?? null,
          },
    durationSeconds: Math.max(0, (ended.getTime() - started.getTime()) / 1000),
  };
}

async function measure(
  pool: Pool,
  runs: { now: number; before: number | undefined },
  run: Run,
  earlier: Run | undefined,
): Promise<DistributionDrift> {
  const drift = new DistributionDrift({ now: run.scored, before: earlier?.scored ?? 0 });
  await eachScore(pool, runs, (page) => {
    for (const count of page) drift.add(count);
  });
  return drift;
}
