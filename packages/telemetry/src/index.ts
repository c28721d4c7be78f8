export { DEFAULT_METRICS_HOST, type ListenAt } from './listen-at.js';
export {
  CLASSES,
  METRICS,
  type MetricDefinition,
  type MetricKey,
  ROW_OUTCOMES,
  seriesOf,
  type TrafficClass,
} from './metric-definitions.js';
export {
  Metrics,
  type MetricsOptions,
  type ParcelMeasure,
  type PassMeasure,
  type WindowMeasure,
} from './metrics.js';
export type { QueueDepth, ReadQueue } from './queue-reader.js';
export { type Check, Readiness } from './readiness.js';
export { REJECT_KINDS, rejectKind } from './reject-kind.js';
export { Telemetry, type TelemetryOptions } from './telemetry.js';
export { type SpanFacts, type Tracing, untraced } from './tracing.js';
