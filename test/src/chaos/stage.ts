import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPool, type EmbeddedServer, type Pool, startEmbedded } from '@tocsin/postgres';
import type { GoldenGuard } from '@tocsin/siren/testing';
import { poisonToken } from '../setup/poisoned-backbone.js';
import { RedisProcess } from '../setup/redis-process.js';
import { type Ended, goldenGuard, ROOT, TocsinProcess } from '../setup/tocsin.js';
import { WITNESS } from './engine-witness.js';
import { Line } from './line.js';
import { SmallDisk } from './small-disk.js';

const GUARD: GoldenGuard = 'qwen3-residual';

/** Options of a stage. */
export interface StagePlace {
  /** Its working directory, which the embedded server's user must be able to access. */
  dir: string;
  /** The program of a Redis server. */
  redis: string;
  /** Compiled guards; default: the directory of all tests. */
  cacheDir?: string;
}

/** Private servers, each behind a proxy that can be cut, and the commands of a fleet. */
export class Stage {
  readonly postgres: EmbeddedServer;
  readonly redis: RedisProcess;
  readonly lines: { postgres: Line; redis: Line };
  /** Data directory of Postgres; undefined where this process may not mount one. */
  readonly disk: SmallDisk | undefined;
  /** Bypasses the proxy. */
  readonly pool: Pool;
  /** Where the engine processes record scored contents. */
  readonly witnessDir: string;
  readonly #place: StagePlace;
  readonly #poison: number;
  readonly #processes: TocsinProcess[] = [];
  #databases = 0;

  private constructor(
    place: StagePlace,
    poison: number,
    postgres: EmbeddedServer,
    redis: RedisProcess,
    lines: { postgres: Line; redis: Line },
    disk: SmallDisk | undefined,
  ) {
    this.disk = disk;
    this.#place = place;
    this.#poison = poison;
    this.postgres = postgres;
    this.redis = redis;
    this.lines = lines;
    this.pool = createPool(postgres.url, { applicationName: 'tocsin chaos', max: 3 });
    this.witnessDir = witnessDirOf(place.dir);
  }

  static async set(place: StagePlace): Promise<Stage> {
    const { dir, redis: program } = place;
    await mkdir(witnessDirOf(dir), { recursive: true });
    const redisDir = join(dir, 'redis');
    await mkdir(redisDir);
    const disk = await SmallDisk.mount(join(dir, 'disk'));
    const [redis, postgres, poison] = await Promise.all([
      RedisProcess.start(program, redisDir),
      startEmbedded({ dataDir: join(dir, 'disk', 'postgres') }),
      poisonToken(GUARD),
    ]);
    const lines = {
      postgres: await Line.to(postgres.port),
      redis: await Line.to(Number(new URL(redis.url).port)),
    };
    return new Stage(place, poison, postgres, redis, lines, disk);
  }

  /** A command on the servers of this stage. */
  start(args: string[], env: NodeJS.ProcessEnv = {}): TocsinProcess {
    return this.#start(args, {
      DATABASE_URL: throughLine(this.postgres.url, this.lines.postgres),
      REDIS_URL: throughLine(this.redis.url, this.lines.redis),
      ...env,
    });
  }

  /** A worker whose engine process crashes on the poison text. */
  worker(): TocsinProcess {
    return this.start(['work', ...this.guard, '--threads', '1'], this.killedBy('engine-witness'));
  }

  /** Options that make a worker, or its engine process, crash on the poison text. */
  killedBy(killer: 'engine-witness' | 'worker-killer'): NodeJS.ProcessEnv {
    // Processes load the built file, even when the tests run from source.
    const module = pathToFileURL(join(ROOT, 'test', 'dist', 'chaos', `${killer}.js`));
    return {
      NODE_OPTIONS: `--import=${module.href}`,
      [WITNESS.dir]: this.witnessDir,
      [WITNESS.poison]: String(this.#poison),
    };
  }

  /** `tocsin score` with its own database, before any fault. */
  async score(files: string[], out: string): Promise<Ended> {
    const url = new URL(this.postgres.url);
    url.pathname = `undisturbed_${++this.#databases}`;
    await this.pool.query(`create database ${url.pathname.slice(1)}`);
    const args = ['score', ...files, ...this.guard, '--threads', '1', '-o', out];
    return this.#start(args, { DATABASE_URL: url.href }).ended;
  }

  readonly guard = goldenGuard(GUARD);

  /** Kills the remaining processes. */
  async close(): Promise<void> {
    for (const process of this.#processes) process.kill('SIGKILL');
    await Promise.all(this.#processes.map(({ ended }) => ended));
    await this.pool.end();
    await Promise.all([this.lines.postgres.close(), this.lines.redis.close()]);
    await this.redis.kill();
    await this.postgres.stop();
    await this.disk?.unmount();
  }

  #start(args: string[], env: NodeJS.ProcessEnv): TocsinProcess {
    const { cacheDir } = this.#place;
    const cache = cacheDir === undefined ? {} : { TOCSIN_CACHE: cacheDir };
    const process = new TocsinProcess(args, { env: { ...cache, ...env } });
    this.#processes.push(process);
    return process;
  }
}

const witnessDirOf = (dir: string): string => join(dir, 'passes');

function throughLine(url: string, line: Line): string {
  const through = new URL(url);
  through.port = String(line.port);
  return through.href;
}
