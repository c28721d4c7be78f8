export {
  type ExpressOutcomeName,
  METRICS,
  seriesOf,
} from './metric-definitions.js';
export type {
  ExpressMeasure,
  ParcelMeasure,
  WindowMeasure,
} from './metrics.js';
export { Telemetry } from './telemetry.js';
export { DEFAULT_METRICS_HOST, type ListenAt } from './telemetry-server.js';
export { type Tracing, untraced } from './tracing.js';
