import type { BullMQOtel } from 'bullmq-otel';

/** What a span says beside its name: numbers and fixed words, never content. */
export type SpanFacts = Record<string, string | number>;

/** Spans of one process; without a place to send them to, nothing happens. */
export interface Tracing {
  /** For BullMQ's `telemetry` option. */
  readonly queue: BullMQOtel | undefined;
  /** Runs `work` within a span; spans that begin in it are its children. */
  within<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>;
  /** A span that has just ended, of no parent: what it did, it did for many. */
  ended(name: string, facts: SpanFacts, ms: number): void;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

export const untraced: Tracing = {
  queue: undefined,
  within: (_, __, work) => work(),
  ended: () => {},
  close: () => Promise.resolve(),
};
