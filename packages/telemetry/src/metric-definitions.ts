/** What a metric is called, what it means, and how it is cut up. */
export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  /** `tocsin_*`, in base units; a counter ends in `_total`. */
  name: string;
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram. */
  buckets?: readonly number[];
}

/** What becomes of a row that somebody asks for. */
const EXPRESS_OUTCOMES = ['scored', 'known', 'failed', 'refused', 'timeout', 'left', 'broken'] as const;
export type ExpressOutcomeName = (typeof EXPRESS_OUTCOMES)[number];

/** From a pass of a few short rows on a GPU to a full one of a large backbone on a CPU. */
const PASS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** A parcel may wait for the passes before it. */
const PARCEL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** From a score that is known to one that waits for workers to start. */
const WAIT_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From a scheduler that looks every few seconds to one that was not there in the night. */
const LAG_SECONDS = [1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600];
/** A row that is longer than the budget has a pass of its own, which is more than full. */
const FILL = [0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];

/** Every metric of Tocsin; Node's own (`process_*`, `nodejs_*`) stand beside them. */
export const METRICS = {
  rows: {
    type: 'counter',
    name: 'tocsin_rows_total',
    help: 'Rows by what became of them. A worker counts scored and failed contents, whoever submits counts known, duplicate and rejected rows.',
    labels: ['outcome', 'class'],
  },
  rejects: {
    type: 'counter',
    name: 'tocsin_rejects_total',
    help: 'Rows of a corpus that cannot be scored, by why: too_long, encoding, json, csv, missing, ambiguous, type, request, guard, label.',
    labels: ['kind'],
  },
  cacheHits: {
    type: 'counter',
    name: 'tocsin_cache_hits_total',
    help: 'Rows whose content had a score before they were submitted.',
    labels: [],
  },
  cacheMisses: {
    type: 'counter',
    name: 'tocsin_cache_misses_total',
    help: 'Contents that had no score when they were submitted.',
    labels: [],
  },
  windows: {
    type: 'counter',
    name: 'tocsin_windows_submitted_total',
    help: 'Windows of corpora that are in the store.',
    labels: [],
  },
  parcelsSubmitted: {
    type: 'counter',
    name: 'tocsin_parcels_submitted_total',
    help: 'Parcels of corpora that were put into the queue.',
    labels: [],
  },
  tokens: {
    type: 'counter',
    name: 'tocsin_tokens_total',
    help: 'Tokens that forward passes have read, padding not counted.',
    labels: ['class'],
  },
  passes: {
    type: 'counter',
    name: 'tocsin_passes_total',
    help: 'Forward passes that gave scores.',
    labels: ['class'],
  },
  passSeconds: {
    type: 'histogram',
    name: 'tocsin_pass_duration_seconds',
    help: 'Time of a forward pass in the engine process.',
    labels: ['class'],
    buckets: PASS_SECONDS,
  },
  batchFill: {
    type: 'histogram',
    name: 'tocsin_batch_fill_ratio',
    help: 'Useful tokens of a forward pass, as a share of the tokens at which passes are planned.',
    labels: ['class'],
    buckets: FILL,
  },
  attentionCells: {
    type: 'counter',
    name: 'tocsin_attention_cells_total',
    help: 'Cells of attention that were computed for a row (useful) or to fill up shorter rows of its batch (padding).',
    labels: ['kind'],
  },
  parcels: {
    type: 'counter',
    name: 'tocsin_parcels_total',
    help: 'Parcels that a worker had: done, given back when it drained, or failed (another worker has them).',
    labels: ['outcome', 'class'],
  },
  parcelSeconds: {
    type: 'histogram',
    name: 'tocsin_parcel_duration_seconds',
    help: 'Time from the lease of a parcel to its scores in the store.',
    labels: ['class'],
    buckets: PARCEL_SECONDS,
  },
  expressWait: {
    type: 'histogram',
    name: 'tocsin_express_wait_seconds',
    help: 'Time from a single row that somebody asks for to its answer, in the process that asks: scored, known (no forward pass), failed, refused (the guard cannot score it), timeout, left (who asked is gone), broken (a server is away). Its count is the rows asked for.',
    labels: ['outcome'],
    buckets: WAIT_SECONDS,
  },
  leasesLost: {
    type: 'counter',
    name: 'tocsin_leases_lost_total',
    help: 'Leases that ran out (their worker was killed or hung), counted by the worker that noticed.',
    labels: ['class'],
  },
  engineRestarts: {
    type: 'counter',
    name: 'tocsin_engine_restarts_total',
    help: 'Engine processes that died and were replaced.',
    labels: [],
  },
  databaseRetries: {
    type: 'counter',
    name: 'tocsin_database_retries_total',
    help: 'Statements that were repeated because Postgres was away or two transactions got in each other’s way.',
    labels: [],
  },
  scheduleFirings: {
    type: 'counter',
    name: 'tocsin_schedule_firings_total',
    help: 'Times that a schedule came due, by how that ended: done, failed, or skipped (its last run was not over).',
    labels: ['outcome'],
  },
  scheduleLag: {
    type: 'histogram',
    name: 'tocsin_schedule_lag_seconds',
    help: 'Time from when a schedule was due until its corpus began to be submitted.',
    labels: [],
    buckets: LAG_SECONDS,
  },
  scheduleDeliveries: {
    type: 'counter',
    name: 'tocsin_schedule_deliveries_total',
    help: 'Attempts to tell a webhook: delivered, retried (another attempt follows), or failed (none does).',
    labels: ['outcome'],
  },
  queueParcels: {
    type: 'gauge',
    name: 'tocsin_queue_parcels',
    help: 'Parcels of the guard that wait or are being scored, in Postgres. The same in every worker of a guard: take the max.',
    labels: ['class', 'guard'],
  },
  queueTokens: {
    type: 'gauge',
    name: 'tocsin_queue_tokens',
    help: 'Tokens of those parcels.',
    labels: ['class', 'guard'],
  },
  queueAge: {
    type: 'gauge',
    name: 'tocsin_queue_oldest_age_seconds',
    help: 'Age of the oldest of those parcels; 0 when there is none.',
    labels: ['class', 'guard'],
  },
  queueUnknown: {
    type: 'gauge',
    name: 'tocsin_queue_unknown',
    help: '1 when Postgres did not say what waits, and the queue metrics are missing; else 0.',
    labels: [],
  },
  ready: {
    type: 'gauge',
    name: 'tocsin_ready',
    help: '1 when /readyz says so: servers reachable, engine loaded, not draining.',
    labels: [],
  },
  info: {
    type: 'gauge',
    name: 'tocsin_process_info',
    help: 'Always 1; the labels say what runs.',
    labels: ['role', 'version'],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof METRICS;

/** The series under which a metric is stored: what a query may name. */
export function seriesOf({ type, name }: MetricDefinition): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
