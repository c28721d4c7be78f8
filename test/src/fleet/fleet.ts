import { join } from 'node:path';
import type { GoldenGuard } from '@tocsin/siren/testing';
import { TestDatabase } from '@tocsin/store/testing';
import { expect } from 'vitest';
import { childrenOf, until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { RedisServer } from '../setup/redis.js';
import {
  type Ended,
  goldenGuard,
  parseLines,
  type ScoreLine,
  type TocsinOptions,
  TocsinProcess,
  tocsin,
  writeJsonl,
} from '../setup/tocsin.js';

export const GUARD: GoldenGuard = 'qwen3-residual';
/** Some seconds of work for one thread, in some dozens of parcels. */
export const ROWS = randomRows(2000, 16);

/** A run, from `tocsin runs show --json`. */
export interface ShownRun {
  id: number;
  state: string;
  rows: number;
  scored: number;
  failed: number;
  rejected: number;
  left: number;
  flagged: number | null;
  problems: { key: string; reason: string }[];
}

/** A private database and Redis server (or another's), a corpus, and the commands of a fleet on them. */
export class Fleet {
  readonly database: TestDatabase;
  readonly redis: RedisServer;
  readonly dir = scratchDir();
  readonly #processes: TocsinProcess[] = [];
  readonly #ownsRedis: boolean;

  private constructor(database: TestDatabase, redis: RedisServer, ownsRedis: boolean) {
    this.database = database;
    this.redis = redis;
    this.#ownsRedis = ownsRedis;
  }

  static async open(shared?: Fleet): Promise<Fleet> {
    const redis = shared?.redis ?? (await RedisServer.start());
    return new Fleet(await TestDatabase.empty(), redis, shared === undefined);
  }

  get env(): NodeJS.ProcessEnv {
    return { DATABASE_URL: this.database.url, REDIS_URL: this.redis.url };
  }

  /** Kills the remaining processes. */
  async close(): Promise<void> {
    for (const process of this.#processes) process.kill('SIGKILL');
    await Promise.all(this.#processes.map(({ ended }) => ended));
    await this.database.close();
    if (this.#ownsRedis) await this.redis.kill();
  }

  run(args: string[]): Promise<Ended> {
    return tocsin(args, { env: this.env });
  }

  start(args: string[], options: Omit<TocsinOptions, 'env'> = {}): TocsinProcess {
    const process = new TocsinProcess(args, { ...options, env: this.env });
    this.#processes.push(process);
    return process;
  }

  async corpus(rows: readonly unknown[] = ROWS, name = 'corpus.jsonl'): Promise<string> {
    return writeJsonl(join(this.dir, name), rows);
  }

  /** Submits a corpus. @returns its run */
  async submit(corpus: string, args: string[] = []): Promise<number> {
    const { exitCode, stdout, stderr } = await this.run(['submit', corpus, ...goldenGuard(GUARD), ...args]);
    expect(exitCode, stderr).toBe(0);
    return Number(String(stdout));
  }

  worker(args: string[] = []): TocsinProcess {
    return this.start(['work', ...goldenGuard(GUARD), '--threads', '1', ...args]);
  }

  /** A worker whose model is loaded. */
  async readyWorker(args: string[] = []): Promise<TocsinProcess> {
    const worker = this.worker(args);
    await worker.said(/worker ready/);
    return worker;
  }

  async shown(runId: number): Promise<ShownRun> {
    const { stdout, stderr } = await this.run(['run', String(runId), '--json']);
    expect(stderr).toBe('');
    return JSON.parse(String(stdout)) as ShownRun;
  }

  async stateOf(runId: number): Promise<string | undefined> {
    return (await this.ask<{ state: string }>('select state from runs where id = $1', [runId]))[0]?.state;
  }

  async untilState(runId: number, state: string): Promise<void> {
    await until(async () => ((await this.stateOf(runId)) === state ? true : undefined));
  }

  /** Waits until this many parcels are done. */
  async untilDone(parcels: number): Promise<void> {
    await until(async () => ((await this.parcels()).done >= parcels ? true : undefined));
  }

  async parcels(): Promise<{ done: number; waiting: number; cancelled: number }> {
    const [row] = await this.ask<{ done: number; waiting: number; cancelled: number }>(
      `select count(*) filter (where state = 'done') as done, count(*) filter (where state = 'waiting') as waiting,
              count(*) filter (where state = 'cancelled') as cancelled from parcels`,
    );
    if (row === undefined) throw new Error('an aggregate returned no row');
    return row;
  }

  async exported(runId: number, args: string[] = []): Promise<ScoreLine[]> {
    const { exitCode, stdout, stderr } = await this.run(['export', String(runId), ...args]);
    expect(exitCode, stderr).toBe(0);
    return parseLines(stdout);
  }

  async ask<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.database.pool.query<T>(sql, values)).rows;
  }
}

/** The result of an undisturbed run. */
export async function undisturbed(rows: readonly unknown[] = ROWS): Promise<ScoreLine[]> {
  const dir = scratchDir();
  const corpus = await writeJsonl(join(dir, 'corpus.jsonl'), rows);
  const env = { TOCSIN_DATA: join(dir, 'postgres') };
  const { exitCode, stdout, stderr } = await tocsin(['score', corpus, ...goldenGuard(GUARD)], { env });
  expect(exitCode, stderr).toBe(0);
  return parseLines(stdout);
}

export function expectSame(scores: ScoreLine[], expected: ScoreLine[]): void {
  expect(scores.map(({ key }) => key)).toEqual(expected.map(({ key }) => key));
  const far = scores.filter(
    ({ score = Number.NaN }, i) => !(Math.abs(score - (expected[i]?.score ?? 0)) <= 1e-6),
  );
  expect(far).toEqual([]);
}

export const engineOf = (pid: number): number | undefined =>
  childrenOf(pid).find(({ command }) => command.includes('engine-main'))?.pid;
