import { type LaneName, within } from '@tocsin/core';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type ExpressOutcomeName,
  METRICS,
  type MetricDefinition,
  type MetricKey,
} from './metric-definitions.js';

/** A forward pass that gave scores. */
export interface PassMeasure {
  lane: LaneName;
  rows: number;
  tokens: number;
  /** Tokens of the longest row: attention is padded to it. */
  longest: number;
  /** Attention cells that belong to rows: the sum of their squared lengths. */
  cells: number;
  /** Milliseconds in the engine process. */
  runMs: number;
}

/** A parcel that a worker is through with. */
export interface ParcelMeasure {
  lane: LaneName;
  outcome: 'done' | 'given_back' | 'failed';
  /** Contents that have a score now. */
  scored: number;
  /** Contents that have an error now. */
  failed: number;
  seconds: number;
}

/** A row that somebody asked for, and has an answer to. */
export interface ExpressMeasure {
  outcome: ExpressOutcomeName;
  /** From asked to answered. */
  seconds: number;
}

/** A window of a corpus that is in the store now. */
export interface WindowMeasure {
  fresh: number;
  known: number;
  duplicates: number;
  rejected: number;
  parcels: number;
  /** Why rows were rejected, in a word each. */
  rejectKinds: readonly string[];
}

export interface MetricsOptions {
  /** What the process is: `worker`, `submit`, ... */
  role: string;
  version: string;
  /** Node's own metrics beside ours; default true. */
  node?: boolean;
}

/** The metrics of one process. Each instance has a registry of its own: nothing is shared. */
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

  /** What `/metrics` answers. */
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

  /** What a scheduler tells of. */
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
   * Says how many parcels wait, from now on, for a guard.
   * @param read asks Postgres; it is asked when somebody scrapes, and not more often than every few seconds
   */
  watchQueue(guard: string, read: ReadQueue): void {
    const reader = new CachedQueueReader(read);
    const parcels = this.gauge('queueParcels');
    const unknown = this.gauge('queueUnknown');
    unknown.set(0);
    // Every metric of the queue is set by one of them: prom-client collects them side by side.
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

/** What waits of one class. */
interface QueueDepth {
  lane: LaneName;
  parcels: number;
  tokens: number;
  /** Age of the oldest; 0 when there is none. */
  oldestSeconds: number;
}

export type ReadQueue = () => Promise<QueueDepth[]>;

/** However many scrape, and however often: Postgres counts once in so long. */
const KEPT_MS = 5_000;
/** A scrape has ten seconds as a rule; a database that is away must not cost it the other metrics. */
const LONGEST_MS = 3_000;

/** Remembers for some seconds what waits, and asks once for all who want to know. */
class CachedQueueReader {
  readonly #read: ReadQueue;
  #answer: Promise<QueueDepth[] | undefined> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(read: ReadQueue) {
    this.#read = read;
  }

  /** @returns undefined when the database does not say: then nothing is known, which is not 0 */
  read(now = performance.now()): Promise<QueueDepth[] | undefined> {
    if (this.#answer === undefined || now - this.#askedAt >= KEPT_MS) {
      this.#askedAt = now;
      this.#answer = within(LONGEST_MS, this.#read()).catch(() => undefined);
    }
    return this.#answer;
  }
}
