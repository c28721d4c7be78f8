import { codeOf, TimeoutError, UserError, within } from '@tocsin/core';
import {
  type Job,
  type JobJson,
  type Processor,
  Queue as RedisQueue,
  Worker as RedisWorker,
  type Telemetry,
  withBackend,
} from 'bullmq';
import { createPostgresBackend, migrateQueueTables, postgresOptions } from './postgres-backend.js';
import { askRedis, ClusterQueue, isClusterUrl, openCluster, shownAddress } from './redis.js';

/** Where the queue lives: a Redis (or Valkey) server or cluster, or a Postgres server. */
export type QueueBackend = {
  kind: 'redis' | 'postgres';
  /** `redis://`, `rediss://`, or of a cluster's nodes `redis+cluster://host:port,host:port`; `postgres://`. */
  url: string;
  /** Where queue and workers tell of their spans, and a job of its submitter's. */
  telemetry?: Telemetry;
  /** In Postgres: cancels the queue's statements that wait (`cancelWhenInterrupted`). */
  interrupted?: AbortSignal;
};

/** What a job carries: an id, never content. */
export interface ParcelJob {
  parcelId: number;
  /** Of an interactive parcel: a worker holds as many as so many tokens allow. */
  tokens?: number;
}

/** A job that says nothing but that it is time to look at the schedules. */
export type LookJob = Record<string, never>;

type JobData = ParcelJob | LookJob;

interface JobOptions {
  jobId: string;
  /** The lowest is taken first, from 1. */
  priority?: number;
}

/** The part of BullMQ's Queue that we use, the same for both backends. */
export interface JobQueue {
  add(name: string, data: JobData, opts: JobOptions): Promise<unknown>;
  addBulk(jobs: { name: string; data: JobData; opts: JobOptions }[]): Promise<unknown>;
  /** Not one that a worker holds. */
  remove(jobId: string): Promise<unknown>;
  upsertJobScheduler(
    id: string,
    repeat: { pattern: string; tz: string },
    template: { name: string; data: JobData },
  ): Promise<unknown>;
  getJobSchedulers(): Promise<{ key: string; pattern?: string; tz?: string }[]>;
  removeJobScheduler(id: string): Promise<unknown>;
  disconnect(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** The part of BullMQ's Worker that we use. */
export interface JobWorker {
  /** Jobs held at once. */
  concurrency: number;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'stalled', listener: (jobId: string) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  /** Lets go of a server that does not answer, when `close` waits for it. */
  cutOff(): Promise<void>;
  /** Called with each job as it is fetched, before another one is. */
  onFetch: ((data: JobData) => void) | undefined;
}

const REDIS_PREFIX = 'tocsin';
/**
 * In Redis Cluster the braces keep all keys of a queue on one node, as BullMQ's scripts need them; another queue (of another
 * guard, or the express rows) may be on another.
 */
const redisNameOf = (queue: string): string => `{${queue}}`;
/** A worker that is gone is noticed, and its parcels are given to another, within lock + check: about 6 s. */
const LEASES = {
  lockDuration: 5_000,
  stalledInterval: 2_000,
  // How often a parcel may be given to another worker. It is not the queue that gives up on work.
  maxStalledCount: 1_000_000,
};
/** The truth is in Postgres: the queue need not remember what is over. */
const FORGET = { removeOnComplete: true, removeOnFail: true };
/** In Redis the worker says so and not each job: one whose fields have 64 bytes at most takes half of the memory. */
const FORGETFUL_WORKER = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
/** BullMQ's log of events in Redis, which Tocsin does not read. */
const EVENTS_KEPT = 100;

const Postgres = withBackend(createPostgresBackend);

class PostgresWorker<Data extends JobData> extends Postgres.Worker<Data, void> {
  onFetch: ((data: JobData) => void) | undefined;
  #isReady = false;

  constructor(...options: ConstructorParameters<typeof Postgres.Worker<Data, void>>) {
    super(...options);
    this.waitUntilReady().then(
      () => {
        this.#isReady = true;
      },
      () => {},
    );
  }

  protected override async nextJobFromJobData(
    ...job: [data?: JobJson, id?: string, token?: string]
  ): Promise<Job<Data, void>> {
    return told(await super.nextJobFromJobData(...job), this.onFetch);
  }

  /**
   * Takes nothing new from this call on, once it is connected. Closed while it still connects, BullMQ's worker leaves its
   * LISTEN connection open, and the process with it.
   */
  override async close(): Promise<void> {
    if (!this.#isReady) await this.waitUntilReady().catch(() => undefined);
    await super.close();
  }

  async cutOff(): Promise<void> {
    await this.lockManager.close();
    await this.backend.close(true);
  }
}

class RedisParcelWorker<Data extends JobData> extends RedisWorker<Data, void> {
  onFetch: ((data: JobData) => void) | undefined;

  protected override async nextJobFromJobData(
    ...job: [data?: JobJson, id?: string, token?: string]
  ): Promise<Job<Data, void>> {
    return told(await super.nextJobFromJobData(...job), this.onFetch);
  }

  async cutOff(): Promise<void> {
    await this.lockManager.close();
    // This ends a client that waits for an answer, whose farewell is waited for. It would wait itself, for ever, for one
    // that was connecting again, since that emits no end event; the other way is for those.
    this.disconnect().catch(() => {});
    await this.backend.close(true);
  }
}

/** BullMQ fetches jobs as long as there is room, before it starts any: only here can a job take room when it is fetched. */
function told<J extends { data: JobData } | undefined>(job: J, onFetch: JobWorker['onFetch']): J {
  if (job !== undefined) onFetch?.(job.data);
  return job;
}

/**
 * Readies a backend: BullMQ's tables, or a look at whether Redis answers.
 * @throws UserError, without the password, when it cannot be reached, or may drop what it holds
 */
export async function prepareBackend(backend: QueueBackend): Promise<void> {
  if (backend.kind === 'redis') await requireRedis(backend.url);
  else await migrateQueueTables(backend.url, backend.interrupted);
}

export function openJobQueue(backend: QueueBackend, name: string): JobQueue {
  if (backend.kind === 'postgres') {
    return new Postgres.Queue<JobData>(name, {
      ...telemetryOf(backend),
      connection: postgresOptions(backend.url, backend.interrupted),
      defaultJobOptions: FORGET,
    });
  }
  const options = {
    ...telemetryOf(backend),
    prefix: REDIS_PREFIX,
    streams: { events: { maxLen: EVENTS_KEPT } },
  };
  return isClusterUrl(backend.url)
    ? new ClusterQueue<JobData>(redisNameOf(name), { ...options, connection: openCluster(backend.url) })
    : new RedisQueue<JobData>(redisNameOf(name), { ...options, connection: { url: backend.url } });
}

export function openJobWorker<Data extends JobData>(
  backend: QueueBackend,
  name: string,
  processor: Processor<Data, void>,
  concurrency: number,
): JobWorker {
  const options = { ...LEASES, ...telemetryOf(backend), concurrency };
  if (backend.kind === 'postgres') {
    return new PostgresWorker(name, processor, {
      ...options,
      connection: postgresOptions(backend.url, backend.interrupted),
    });
  }
  return new RedisParcelWorker<Data>(redisNameOf(name), processor, {
    ...options,
    ...FORGETFUL_WORKER,
    // A blocking read waits as long as it takes, and outlives a restart of the server. A worker connects with duplicates
    // of a cluster's client that it is given, and closes them; that one itself never connects.
    connection: isClusterUrl(backend.url)
      ? openCluster(backend.url)
      : { url: backend.url, maxRetriesPerRequest: null },
    prefix: REDIS_PREFIX,
  });
}

const CANCELLED = '57014';

/** Listens for errors, except those of statements that an interruption cancels. */
export function listenForErrors(
  { interrupted }: QueueBackend,
  source: JobQueue | JobWorker,
  onError: (error: Error) => void,
): void {
  source.on('error', (error) => {
    if (interrupted?.aborted !== true || codeOf(error) !== CANCELLED) onError(error);
  });
}

const telemetryOf = ({ telemetry }: QueueBackend): { telemetry?: Telemetry } =>
  telemetry === undefined ? {} : { telemetry };

function requireRedis(url: string): Promise<void> {
  return askRedis(url, async (redis) => {
    await redis.ping();
    requireNoEviction(await redis.info('memory'), url);
  });
}

/**
 * Under another policy a server that is full drops keys of the queue one by one, and what is left of it does not fit
 * together.
 * @param info what INFO says of the server's memory
 */
function requireNoEviction(info: string, url: string): void {
  const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(info) ?? [];
  if (policy === 'noeviction') return;
  throw new UserError(
    `Redis at ${shownAddress(url)} has maxmemory-policy ${policy}, and a queue needs noeviction`,
    {
      hint: 'Set it: redis-cli config set maxmemory-policy noeviction (and in redis.conf, or in the settings of your provider).',
    },
  );
}

/** A server that takes longer counts as unreachable. */
const ANSWER_MS = 3_000;

/** Closes a queue. If the server does not answer, drops the connection: an orderly close would wait forever. */
export async function closeQueue(queue: JobQueue): Promise<void> {
  if (!(await answers(queue.close()))) await answers(queue.disconnect());
}

/**
 * Closes a worker: it takes no new jobs and finishes the current ones, then closes like a queue.
 * @param held resolves when its jobs are finished
 */
export async function closeWorker(worker: JobWorker, held: () => Promise<unknown>): Promise<void> {
  const closed = worker.close();
  // Awaited below; until then a rejection must not be unhandled.
  closed.catch(() => {});
  await held();
  if (!(await answers(closed))) await answers(worker.cutOff());
}

/** @returns whether it has answered */
async function answers(work: Promise<unknown>): Promise<boolean> {
  try {
    await within(ANSWER_MS, work);
    return true;
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}
