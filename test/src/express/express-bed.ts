import { join } from 'node:path';
import { type OpenGuard, openGuard } from '@tocsin/engine';
import { ExpressScorer } from '@tocsin/pipeline';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { goldenDirs } from '@tocsin/siren/testing';
import { type RegisteredGuard, registerGuard } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import type { ExpressMeasure, ExpressOutcomeName } from '@tocsin/telemetry';
import { inject } from 'vitest';
import { until } from '../setup/processes.js';
import { RedisServer } from '../setup/redis.js';
import { goldenGuard, TocsinProcess } from '../setup/tocsin.js';

export const GUARD = 'qwen3-residual';

/** Servers, a guard, and a client. Workers are separate processes, started on demand. */
export class ExpressBed {
  readonly database: TestDatabase;
  readonly redis: RedisServer | undefined;
  readonly backend: QueueBackend;
  readonly guard: OpenGuard;
  readonly registered: RegisteredGuard;
  readonly asker: ExpressScorer;
  /** The outcomes of the requested rows. */
  readonly answers: ExpressOutcomeName[];
  readonly #workers: TocsinProcess[] = [];

  private constructor(
    database: TestDatabase,
    redis: RedisServer | undefined,
    backend: QueueBackend,
    guard: OpenGuard,
    registered: RegisteredGuard,
    asker: ExpressScorer,
    answers: ExpressOutcomeName[],
  ) {
    this.database = database;
    this.redis = redis;
    this.backend = backend;
    this.guard = guard;
    this.registered = registered;
    this.asker = asker;
    this.answers = answers;
  }

  /** @param backbone instead of the guard's own */
  static async start(kind: QueueBackend['kind'], backbone = goldenDirs(GUARD).backbone): Promise<ExpressBed> {
    const database = await TestDatabase.migrated();
    const redis = kind === 'redis' ? await RedisServer.start() : undefined;
    const backend: QueueBackend = redis
      ? { kind: 'redis', url: redis.url }
      : { kind: 'postgres', url: database.url };
    await prepareBackend(backend);
    const { artifact } = goldenDirs(GUARD);
    const guard = await openGuard(artifact, { backbone, cacheDir: join(inject('scratch'), 'cache') });
    const { pool } = database;
    const registered = await registerGuard(pool, guard.fingerprint, 'test');
    const answers: ExpressOutcomeName[] = [];
    const onAnswer = ({ outcome }: ExpressMeasure): void => void answers.push(outcome);
    const asker = await ExpressScorer.open({ pool, backend, guard, registered, onAnswer });
    return new ExpressBed(database, redis, backend, guard, registered, asker, answers);
  }

  /** Environment with the servers, for commands. */
  get env(): NodeJS.ProcessEnv {
    return { DATABASE_URL: this.database.url, REDIS_URL: this.redis?.url };
  }

  /** The guard's reference for commands. */
  get guardArguments(): string[] {
    const [flag = '', artifact = ''] = goldenGuard(GUARD);
    return [
      flag,
      artifact,
      '--backbone',
      this.guard.pinned.backbone ?? goldenDirs(GUARD).backbone,
      '--threads',
      '1',
    ];
  }

  /** A ready worker process, and its engine process. */
  async startWorker(): Promise<{ worker: TocsinProcess; engine: number }> {
    const worker = new TocsinProcess(['work', ...this.guardArguments], { env: this.env });
    this.#workers.push(worker);
    const ready = await until(() => logged(worker, 'worker ready')[0]);
    return { worker, engine: ready.engine ?? 0 };
  }

  /** Express parcels so far. */
  async parcels(): Promise<{ contents: number; state: string }[]> {
    const { rows } = await this.database.pool.query<{ contents: number; state: string }>(
      'select contents, state from parcels where run_id is null order by id',
    );
    return rows;
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.kill('SIGKILL');
    await Promise.all(this.#workers.map(({ ended }) => ended));
    await this.asker.close();
    await this.database.close();
    await this.redis?.kill();
  }
}

/** A line of a worker's log. */
export interface LogLine {
  msg: string;
  engine?: number;
  passes?: number;
}

/** The lines of a worker's log whose `msg` equals it. */
export function logged(worker: TocsinProcess, msg: string): LogLine[] {
  return worker.stderr
    .split('\n')
    .slice(0, -1)
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text) as LogLine)
    .filter((line) => line.msg === msg);
}
