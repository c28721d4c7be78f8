import type { BullMQOtel } from 'bullmq-otel';

/** Attributes of a span: numbers and fixed words, never content. */
export type SpanFacts = Record<string, string | number>;

/** Spans of one process; a no-op without an endpoint. */
export interface Tracing {
  /** For BullMQ's `telemetry` option. */
  readonly queue: BullMQOtel | undefined;
  /** Runs `work` within a span; spans started in it are its children. */
  within<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>;
  /** Records a finished span without a parent, for work shared by many requests. */
  ended(name: string, facts: SpanFacts, ms: number): void;
  /** Flushes pending spans. */
  close(): Promise<void>;
}

export const untraced: Tracing = {
  queue: undefined,
  within: (_, __, work) => work(),
  ended: () => {},
  close: () => Promise.resolve(),
};
