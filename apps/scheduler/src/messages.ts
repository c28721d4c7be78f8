import { randomUUID } from 'node:crypto';
import type { FiringCause } from '@tocsin/core';
import { DistributionDrift } from '@tocsin/evaluate';
import { type Pool, withRetry } from '@tocsin/postgres';
import {
  eachScore,
  type FiringRow,
  getRun,
  type Message,
  newFlagged,
  type Run,
  type RunCounts,
  runBefore,
} from '@tocsin/store';

/** Types of webhook messages. */
type Event =
  | { type: 'run.done'; data: FiringSummary }
  /** The corpus could not be submitted, or its run failed or was cancelled. */
  | { type: 'run.failed'; data: { run: number | null; reason: string } }
  /** The schedule came due while its previous firing was still running. */
  | { type: 'run.skipped'; data: { reason: string } }
  | { type: 'test'; data: Record<string, never> };

/** The schedule and time of an event. */
interface EventOrigin {
  schedule: string;
  dueAt: Date;
  cause: FiringCause;
}

/** Creates a message with a new id: `type`, `timestamp` and `data`, as Standard Webhooks suggests. */
export function messageOf(origin: EventOrigin, event: Event): Message {
  const { schedule, dueAt, cause } = origin;
  return {
    id: `msg_${randomUUID().replaceAll('-', '')}`,
    body: JSON.stringify({
      type: event.type,
      timestamp: new Date().toISOString(),
      data: { schedule, dueAt: dueAt.toISOString(), cause, ...event.data },
    }),
  };
}

/** The same; undefined without a webhook that wants it. */
export function messageTo(
  webhook: { webhookUrl: string | null; webhookClosed: string | null },
  origin: EventOrigin,
  event: Event,
): Message | undefined {
  if (webhook.webhookUrl === null || webhook.webhookClosed !== null) return undefined;
  return messageOf(origin, event);
}

/** The outcome of a firing. */
type FiringOutcome = 'done' | 'failed' | 'skipped';
/** The outcome of a delivery attempt: `retried` if another one follows. */
type DeliveryOutcome = 'delivered' | 'retried' | 'failed';

/** Callbacks for metrics. They cover the work of this process only. */
export interface ScheduleMeasures {
  onFiring(outcome: FiringOutcome): void;
  /** Seconds from the due time of a schedule to the start of its submission. */
  onLag(seconds: number): void;
  onDelivery(outcome: DeliveryOutcome): void;
}

export const UNMEASURED: ScheduleMeasures = { onFiring: () => {}, onLag: () => {}, onDelivery: () => {} };

/** Result of a scheduled run. Numbers only: no texts, no row keys. rows = new + known + duplicates + rejected. */
export interface FiringSummary
  extends Pick<Run, 'guard' | 'fingerprint' | 'threshold'>,
    Pick<RunCounts, 'rows' | 'known' | 'duplicates' | 'rejected' | 'truncated' | 'scored' | 'failed'> {
  run: number;
  /** Rows with score >= threshold; 0 without one. */
  flagged: number;
  /** Rows whose content was not scored before. */
  new: number;
  /** Flagged contents that were not in the previous run. */
  newFlagged: number;
  /** Rows in each of 20 bins from 0 to 1. */
  distribution: number[];
  /** Compared with the schedule's previous run; null when there is none whose rows still exist. */
  drift: Drift | null;
  /** From the start of the submission to the last score. */
  durationSeconds: number;
}

interface Drift {
  /** The previous run. */
  run: number;
  /** Whether it used another guard: then changes may come from the guard instead of the corpus. */
  otherGuard: boolean;
  /** Of the previous run. */
  rows: number;
  flagged: number;
  /** Null when one of the runs has no score. */
  populationStability: number | null;
  kolmogorovSmirnov: number | null;
}

/** Summarizes the run of a firing. Reads everything from the store, so it can be repeated. */
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
