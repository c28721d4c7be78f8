import { type LaneName, within } from '@tocsin/core';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type ExpressOutcomeName,
  METRICS,
  type MetricDefinition,
  type MetricKey,
} from './metric-definitions.js';

/** A completed forward pass. */
export interface PassMeasure {
  lane: LaneName;
  rows: number;
  tokens: number;
  /** Tokens of the longest row: attention is padded to it. */
  longest: number;
  /** Attention cells of rows: the sum of their squared lengths. */
  cells: number;
  /** Duration in the engine process, ms. */
  runMs: number;
}

/** A parcel that a worker has finished with. */
export interface ParcelMeasure {
  lane: LaneName;
  outcome: 'done' | 'given_back' | 'failed';
  /** Contents that got a score. */
  scored: number;
  /** Contents that got an error. */
  failed: number;
  seconds: number;
}

/** An answered interactive request. */
export interface ExpressMeasure {
  outcome: ExpressOutcomeName;
  /** From request to answer. */
  seconds: number;
}

/** A window of a corpus that was written to the store. */
export interface WindowMeasure {
  fresh: number;
  known: number;
  duplicates: number;
  rejected: number;
  parcels: number;
  /** Reason codes of the rejected rows. */
  rejectKinds: readonly string[];
}

export interface MetricsOptions {
  /** Role of the process: `worker`, `submit`, ... */
  role: string;
  version: string;
  /** Include Node's own metrics; default true. */
  node?: boolean;
}

/** The metrics of one process. Each instance has its own registry. */
export class Metrics {
  readonly registry = new Registry();
  readonly #counters: Record<string, Counter> = {};
  readonly #histograms: Record<string, Histogram> = {};
  readonly #collectors = new Map<MetricKey, () => Promise<void>>();

  constructor({ role, version, node = true }: MetricsOptions) {
    for (const [key, definition] of Object.entries<MetricDefinition>(METRICS)) this.#add(key, definition);
    this.gauge('info').set({ role, version }, 1);
    if (node) collectDefaultMetrics({ register: this.registry });
  }

  /** The body of `/metrics`. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  gauge(key: MetricKey): Gauge {
    return this.registry.getSingleMetric(METRICS[key].name) as Gauge;
  }

  readonly onPass = (pass: PassMeasure, budgetTokens: number): void => {
    const labels = { class: pass.lane };
    this.#count('passes', labels);
    this.#count('tokens', labels, pass.tokens);
    this.#observe('passSeconds', labels, pass.runMs / 1000);
    this.#observe('batchFill', labels, pass.tokens / budgetTokens);
    this.#count('attentionCells', { kind: 'useful' }, pass.cells);
    this.#count('attentionCells', { kind: 'padding' }, pass.rows * pass.longest ** 2 - pass.cells);
  };

  readonly onParcel = (parcel: ParcelMeasure): void => {
    const labels = { class: parcel.lane };
    this.#count('parcels', { ...labels, outcome: parcel.outcome });
    if (parcel.outcome !== 'done') return;
    this.#count('rows', { ...labels, outcome: 'scored' }, parcel.scored);
    this.#count('rows', { ...labels, outcome: 'failed' }, parcel.failed);
    this.#observe('parcelSeconds', labels, parcel.seconds);
  };

  readonly onWindow = (window: WindowMeasure): void => {
    this.#count('windows');
    this.#count('parcelsSubmitted', {}, window.parcels);
    for (const [outcome, rows] of [
      ['known', window.known],
      ['duplicate', window.duplicates],
      ['rejected', window.rejected],
    ] as const) {
      this.#count('rows', { class: 'bulk', outcome }, rows);
    }
    this.#count('cacheHits', {}, window.known);
    this.#count('cacheMisses', {}, window.fresh);
    for (const kind of window.rejectKinds) this.#count('rejects', { kind });
  };

  readonly onExpress = ({ outcome, seconds }: ExpressMeasure): void =>
    this.#observe('expressWait', { outcome }, seconds);

  /** Callbacks for a scheduler. */
  readonly schedules = {
    onFiring: (outcome: 'done' | 'failed' | 'skipped'): void => this.#count('scheduleFirings', { outcome }),
    onLag: (seconds: number): void => this.#observe('scheduleLag', {}, seconds),
    onDelivery: (outcome: 'delivered' | 'retried' | 'failed'): void =>
      this.#count('scheduleDeliveries', { outcome }),
  };

  readonly onEngineRestart = (): void => this.#count('engineRestarts');
  readonly onDatabaseRetry = (): void => this.#count('databaseRetries');
  readonly onLeaseLost = (lane: LaneName): void => this.#count('leasesLost', { class: lane });

  /**
   * Exports the queue depth of a guard from now on.
   * @param read queries Postgres; called on a scrape, at most once every few seconds
   */
  watchQueue(guard: string, read: ReadQueue): void {
    const reader = new CachedQueueReader(read);
    const parcels = this.gauge('queueParcels');
    const unknown = this.gauge('queueUnknown');
    unknown.set(0);
    // All queue metrics are set by whichever is collected first: prom-client collects them concurrently.
    const collect = async (): Promise<void> => {
      const depths = await reader.read();
      unknown.set(depths === undefined ? 1 : 0);
      for (const gauge of [parcels, this.gauge('queueTokens'), this.gauge('queueAge')]) gauge.reset();
      for (const { lane, ...depth } of depths ?? []) {
        const labels = { class: lane, guard };
        parcels.set(labels, depth.parcels);
        this.gauge('queueTokens').set(labels, depth.tokens);
        this.gauge('queueAge').set(labels, depth.oldestSeconds);
      }
    };
    for (const key of ['queueParcels', 'queueTokens', 'queueAge', 'queueUnknown'] as const)
      this.#collectors.set(key, collect);
  }

  #add(key: string, { type, ...definition }: MetricDefinition): void {
    const { name, help, labels, buckets } = definition;
    const common = { name, help, labelNames: [...labels], registers: [this.registry] };
    if (type === 'counter') this.#counters[key] = new Counter(common);
    else if (type === 'histogram')
      this.#histograms[key] = new Histogram({ ...common, buckets: [...(buckets ?? [])] });
    else
      new Gauge({
        ...common,
        collect: () => this.#collectors.get(key as MetricKey)?.(),
      });
  }

  #count(key: MetricKey, labels: Record<string, string> = {}, by = 1): void {
    if (by > 0) this.#counters[key]?.inc(labels, by);
  }

  #observe(key: MetricKey, labels: Record<string, string>, value: number): void {
    this.#histograms[key]?.observe(labels, value);
  }
}

/** Waiting parcels of one class. */
interface QueueDepth {
  lane: LaneName;
  parcels: number;
  tokens: number;
  /** Age of the oldest; 0 without any. */
  oldestSeconds: number;
}

export type ReadQueue = () => Promise<QueueDepth[]>;

/** Postgres is queried at most once in this time, however often `/metrics` is scraped. */
const KEPT_MS = 5_000;
/** Scrapes usually time out after 10 s; an unreachable database must not cost them the other metrics. */
const LONGEST_MS = 3_000;

/** Caches the queue depth for a few seconds and shares one query between concurrent readers. */
class CachedQueueReader {
  readonly #read: ReadQueue;
  #answer: Promise<QueueDepth[] | undefined> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(read: ReadQueue) {
    this.#read = read;
  }

  /** @returns undefined when the database does not answer: unknown, not 0 */
  read(now = performance.now()): Promise<QueueDepth[] | undefined> {
    if (this.#answer === undefined || now - this.#askedAt >= KEPT_MS) {
      this.#askedAt = now;
      this.#answer = within(LONGEST_MS, this.#read()).catch(() => undefined);
    }
    return this.#answer;
  }
}
