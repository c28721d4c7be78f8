import { randomUUID } from 'node:crypto';
import type { FiringCause } from '@tocsin/core';
import type { Message } from '@tocsin/store';
import type { FiringSummary } from './summary.js';

/** Types of webhook messages. */
export type Event =
  | { type: 'run.done'; data: FiringSummary }
  /** The corpus could not be submitted, or its run failed or was cancelled. */
  | { type: 'run.failed'; data: { run: number | null; reason: string } }
  /** The schedule came due while its previous firing was still running. */
  | { type: 'run.skipped'; data: { reason: string } }
  | { type: 'test'; data: Record<string, never> };

/** The schedule and time of an event. */
export interface EventOrigin {
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
