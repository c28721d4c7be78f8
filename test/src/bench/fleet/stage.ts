import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createPool, type Pool, startEmbedded } from '@tocsin/postgres';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { migrateSchema } from '@tocsin/store';
import { findRedis } from '../../setup/find-programs.js';
import { RedisProcess } from '../../setup/redis-process.js';

/** Statement statistics, for the table of costs. */
const SETTINGS = { shared_preload_libraries: 'pg_stat_statements' };

/** A new database and a new queue. */
export interface FleetStage {
  databaseUrl: string;
  pool: Pool;
  redis: RedisProcess;
  backend: QueueBackend;
  close(): Promise<void>;
}

/** @param dir parent of its working directory */
export async function openFleetStage(dir: string): Promise<FleetStage> {
  const own = await mkdtemp(join(dir, 'stage-'));
  // As root, the embedded server runs as another user, which needs access to its directory.
  await chmod(own, 0o755);
  const server = await startEmbedded({ dataDir: join(own, 'postgres'), settings: SETTINGS });
  const redis = await RedisProcess.start(await findRedis(), own);
  const pool = createPool(server.url, { applicationName: 'tocsin bench', max: 2 });
  const backend = { kind: 'redis', url: redis.url } as const;
  await migrateSchema(pool);
  await pool.query('create extension if not exists pg_stat_statements');
  await prepareBackend(backend);
  return {
    databaseUrl: server.url,
    pool,
    redis,
    backend,
    close: async () => {
      await pool.end();
      await redis.kill();
      await server.stop();
    },
  };
}

const LOOK_EVERY_MS = 50;

/** Waits until no parcel is pending. */
export async function untilScored(pool: Pool): Promise<void> {
  while (await parcelsWait(pool)) await sleep(LOOK_EVERY_MS);
}

export async function parcelsWait(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(`select from parcels where state = 'waiting' limit 1`);
  return rows.length > 0;
}

const TOCSIN = fileURLToPath(new URL('../../../../apps/tocsin/dist/main.js', import.meta.url));

/** `tocsin submit` as a separate process. */
export interface SubmitCommand {
  child: ChildProcess;
  /** Its run, once it has ended. */
  run: Promise<number>;
}

/** @param nodeOptions of its process, e.g. to profile it */
export function submitCommand(
  { databaseUrl, backend }: FleetStage,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): SubmitCommand {
  const child = spawn(process.execPath, [...nodeOptions, TOCSIN, 'submit', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DATABASE_URL: databaseUrl, REDIS_URL: backend.url },
  });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const run = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Number(out));
      else reject(new Error(`tocsin submit ended with ${code}: ${errors}`));
    });
  });
  return { child, run };
}
