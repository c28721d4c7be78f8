import { randomUUID } from 'node:crypto';
import type { FiringCause } from '@tocsin/core';
import type { Message } from '@tocsin/store';
import type { FiringSummary } from './summary.js';

/** What a webhook is told. */
export type Event =
  | { type: 'run.done'; data: FiringSummary }
  /** The corpus could not be submitted, its run has failed, or it was cancelled. */
  | { type: 'run.failed'; data: { run: number | null; reason: string } }
  /** The schedule came due while it was still going. */
  | { type: 'run.skipped'; data: { reason: string } }
  | { type: 'test'; data: Record<string, never> };

/** Which time of which schedule an event is about. */
export interface EventOrigin {
  schedule: string;
  dueAt: Date;
  cause: FiringCause;
}

/** A message with an id of its own: `type`, `timestamp` and `data`, as Standard Webhooks suggests. */
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

/** The same, unless there is no webhook that would take it. */
export function messageTo(
  webhook: { webhookUrl: string | null; webhookClosed: string | null },
  origin: EventOrigin,
  event: Event,
): Message | undefined {
  if (webhook.webhookUrl === null || webhook.webhookClosed !== null) return undefined;
  return messageOf(origin, event);
}

/** How a firing ended. */
type FiringOutcome = 'done' | 'failed' | 'skipped';
/** What became of an attempt to tell a webhook: another one follows (`retried`), or none does. */
type DeliveryOutcome = 'delivered' | 'retried' | 'failed';

/** Told of what this process does for the schedules, to be counted. What another process has done it does not tell. */
export interface ScheduleMeasures {
  onFiring(outcome: FiringOutcome): void;
  /** Seconds from when a schedule was due until its corpus began to be submitted. */
  onLag(seconds: number): void;
  onDelivery(outcome: DeliveryOutcome): void;
}

export const UNMEASURED: ScheduleMeasures = { onFiring: () => {}, onLag: () => {}, onDelivery: () => {} };
