/** Definition of a metric. */
export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  /** `tocsin_*`, in base units; a counter ends in `_total`. */
  name: string;
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram. */
  buckets?: readonly number[];
}

/** Outcomes of an interactive request. */
const EXPRESS_OUTCOMES = [
  'scored',
  'known',
  'failed',
  'refused',
  'timeout',
  'busy',
  'left',
  'broken',
] as const;
export type ExpressOutcomeName = (typeof EXPRESS_OUTCOMES)[number];

/** From a pass over a few short rows on a GPU to a full pass of a large backbone on a CPU. */
const PASS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** A parcel may wait for earlier passes. */
const PARCEL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** From a cached score to one that waits for workers to start. */
const WAIT_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From a scheduler that polls every few seconds to one that was down overnight. */
const LAG_SECONDS = [1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600];
/** Above 1 for a row longer than the budget, which gets a pass of its own. */
const FILL = [0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];

/** Every metric of Tocsin, besides Node's own (`process_*`, `nodejs_*`). */
export const METRICS = {
  rows: {
    type: 'counter',
    name: 'tocsin_rows_total',
    help: 'Rows by outcome. Workers count scored and failed contents; submitters count known, duplicate and rejected rows.',
    labels: ['outcome', 'class'],
  },
  rejects: {
    type: 'counter',
    name: 'tocsin_rejects_total',
    help: 'Rows of a corpus that cannot be scored, by reason: too_long, encoding, json, csv, missing, ambiguous, type, request, guard, label.',
    labels: ['kind'],
  },
  cacheHits: {
    type: 'counter',
    name: 'tocsin_cache_hits_total',
    help: 'Submitted rows whose content already had a score.',
    labels: [],
  },
  cacheMisses: {
    type: 'counter',
    name: 'tocsin_cache_misses_total',
    help: 'Submitted contents without a score.',
    labels: [],
  },
  windows: {
    type: 'counter',
    name: 'tocsin_windows_submitted_total',
    help: 'Windows of corpora written to the store.',
    labels: [],
  },
  parcelsSubmitted: {
    type: 'counter',
    name: 'tocsin_parcels_submitted_total',
    help: 'Parcels added to the queue.',
    labels: [],
  },
  tokens: {
    type: 'counter',
    name: 'tocsin_tokens_total',
    help: 'Tokens processed by forward passes, without padding.',
    labels: ['class'],
  },
  passes: {
    type: 'counter',
    name: 'tocsin_passes_total',
    help: 'Completed forward passes.',
    labels: ['class'],
  },
  passSeconds: {
    type: 'histogram',
    name: 'tocsin_pass_duration_seconds',
    help: 'Duration of a forward pass in the engine process.',
    labels: ['class'],
    buckets: PASS_SECONDS,
  },
  batchFill: {
    type: 'histogram',
    name: 'tocsin_batch_fill_ratio',
    help: 'Tokens of a forward pass without padding, as a share of the token budget of a pass.',
    labels: ['class'],
    buckets: FILL,
  },
  attentionCells: {
    type: 'counter',
    name: 'tocsin_attention_cells_total',
    help: 'Attention cells computed for rows (useful) or for the padding of shorter rows in a batch (padding).',
    labels: ['kind'],
  },
  parcels: {
    type: 'counter',
    name: 'tocsin_parcels_total',
    help: 'Parcels leased by a worker, by outcome: done, given_back (released while draining), or failed (retried by another worker).',
    labels: ['outcome', 'class'],
  },
  parcelSeconds: {
    type: 'histogram',
    name: 'tocsin_parcel_duration_seconds',
    help: 'Time from leasing a parcel to its scores being in the store.',
    labels: ['class'],
    buckets: PARCEL_SECONDS,
  },
  expressWait: {
    type: 'histogram',
    name: 'tocsin_express_wait_seconds',
    help: 'Time from an interactive request for one row to its answer, in the requesting process: scored, known (no forward pass), failed, refused (the guard cannot score it), timeout, busy (admitted, then refused because workers are too slow), left (the client disconnected), broken (a server is unavailable). Its count is the number of rows requested.',
    labels: ['outcome'],
    buckets: WAIT_SECONDS,
  },
  leasesLost: {
    type: 'counter',
    name: 'tocsin_leases_lost_total',
    help: 'Expired leases (their worker was killed or hung), counted by the worker that noticed.',
    labels: ['class'],
  },
  engineRestarts: {
    type: 'counter',
    name: 'tocsin_engine_restarts_total',
    help: 'Engine processes that crashed and were restarted.',
    labels: [],
  },
  databaseRetries: {
    type: 'counter',
    name: 'tocsin_database_retries_total',
    help: 'Statements retried because Postgres was unavailable or two transactions conflicted.',
    labels: [],
  },
  scheduleFirings: {
    type: 'counter',
    name: 'tocsin_schedule_firings_total',
    help: 'Schedule firings by outcome: done, failed, or skipped (the previous run was still in progress).',
    labels: ['outcome'],
  },
  scheduleLag: {
    type: 'histogram',
    name: 'tocsin_schedule_lag_seconds',
    help: 'Delay between the due time of a schedule and the start of its submission.',
    labels: [],
    buckets: LAG_SECONDS,
  },
  scheduleDeliveries: {
    type: 'counter',
    name: 'tocsin_schedule_deliveries_total',
    help: 'Webhook delivery attempts by outcome: delivered, retried (another attempt follows), or failed (the last attempt).',
    labels: ['outcome'],
  },
  queueParcels: {
    type: 'gauge',
    name: 'tocsin_queue_parcels',
    help: 'Parcels of the guard that are waiting or being scored, from Postgres. Every worker of a guard reports the same value: aggregate with max.',
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
    help: 'Age of the oldest of those parcels; 0 without any.',
    labels: ['class', 'guard'],
  },
  queueUnknown: {
    type: 'gauge',
    name: 'tocsin_queue_unknown',
    help: '1 when the queue metrics are missing because Postgres did not answer, else 0.',
    labels: [],
  },
  ready: {
    type: 'gauge',
    name: 'tocsin_ready',
    help: '1 when /readyz reports ready: servers reachable, engine loaded, not draining.',
    labels: [],
  },
  info: {
    type: 'gauge',
    name: 'tocsin_process_info',
    help: 'Always 1; role and version are in the labels.',
    labels: ['role', 'version'],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof METRICS;

/** The names of a metric's time series, as used in queries. */
export function seriesOf({ type, name }: MetricDefinition): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
