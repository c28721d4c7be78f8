export { DEFAULT_METRICS_HOST, type ListenAt } from './listen-at.js';
export {
  EXPRESS_OUTCOMES,
  type ExpressOutcomeName,
  METRICS,
  type MetricDefinition,
  type MetricKey,
  ROW_OUTCOMES,
  seriesOf,
} from './metric-definitions.js';
export {
  type ExpressMeasure,
  Metrics,
  type MetricsOptions,
  type ParcelMeasure,
  type PassMeasure,
  type WindowMeasure,
} from './metrics.js';
export type { QueueDepth, ReadQueue } from './queue-reader.js';
export { type Check, Readiness } from './readiness.js';
export { Telemetry, type TelemetryOptions } from './telemetry.js';
export { type SpanFacts, type Tracing, untraced } from './tracing.js';
