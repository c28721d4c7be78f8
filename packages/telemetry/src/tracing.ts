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

/**
 * Sends spans to where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says (OTLP over HTTP). Without
 * either, nothing of OpenTelemetry is loaded.
 */
export async function startTracing(
  env: NodeJS.ProcessEnv,
  service: string,
  version: string,
): Promise<Tracing | undefined> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return undefined;
  const { openTracing } = await import('./open-tracing.js');
  return openTracing(service, version);
}
