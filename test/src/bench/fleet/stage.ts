import { chmod, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createPool, type Pool, startEmbedded } from '@tocsin/postgres';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { migrateSchema } from '@tocsin/store';
import { findRedis } from '../../setup/find-redis.js';
import { RedisProcess } from '../../setup/redis-process.js';

/** Times of statements, for the table of what costs what. */
const SETTINGS = { shared_preload_libraries: 'pg_stat_statements' };

/** A database and a queue that nobody else uses, both empty. */
export interface FleetStage {
  databaseUrl: string;
  pool: Pool;
  redis: RedisProcess;
  backend: QueueBackend;
  close(): Promise<void>;
}

/** @param dir where it makes a directory of its own */
export async function openFleetStage(dir: string): Promise<FleetStage> {
  const own = await mkdtemp(join(dir, 'stage-'));
  // The embedded server of a run as root is another user's, and has to get at its directory.
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
