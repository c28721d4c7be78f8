import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenGuard, Pass } from '@tocsin/engine';
import { ExpressScorer } from '@tocsin/pipeline';
import { createPool, type Pool, startEmbedded } from '@tocsin/postgres';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { migrateSchema, type RegisteredGuard, registerGuard } from '@tocsin/store';
import { findRedis } from '../setup/find-programs.js';
import { RedisProcess } from '../setup/redis-process.js';
import type { WorkerMessage, WorkerSetup } from './express-worker.js';

const WORKER = fileURLToPath(new URL('./express-worker.js', import.meta.url));

/** A database, a queue, a worker process, and a client. */
export interface ExpressStage {
  pool: Pool;
  databaseUrl: string;
  backend: QueueBackend;
  registered: RegisteredGuard;
  asker: ExpressScorer;
  /** The worker's forward passes so far, as it reports them. */
  passes: Pass[];
  close(): Promise<void>;
}

export async function openStage(
  kind: QueueBackend['kind'],
  guard: OpenGuard,
  dir: string,
): Promise<ExpressStage> {
  const server = await startEmbedded({ dataDir: join(dir, 'express-postgres') });
  const redis = kind === 'redis' ? await startRedis(join(dir, 'express-redis')) : undefined;
  const pool = createPool(server.url, { applicationName: 'tocsin bench' });
  const backend: QueueBackend = redis
    ? { kind: 'redis', url: redis.url }
    : { kind: 'postgres', url: server.url };
  await migrateSchema(pool);
  await prepareBackend(backend);
  const registered = await registerGuard(pool, guard.fingerprint, 'bench');
  const passes: Pass[] = [];
  const worker = await startWorker(
    { guard: guard.pinned.guard, databaseUrl: server.url, backend, queue: registered.queue },
    (pass) => passes.push(pass),
  );
  const asker = await ExpressScorer.open({ pool, backend, guard, registered });
  return {
    pool,
    databaseUrl: server.url,
    backend,
    registered,
    asker,
    passes,
    close: async () => {
      await asker.close();
      await ended(worker, 'SIGTERM');
      await pool.end();
      await redis?.kill();
      await server.stop();
    },
  };
}

/** Empty, without persistence. */
async function startRedis(dir: string): Promise<RedisProcess> {
  await mkdir(dir, { recursive: true });
  return RedisProcess.start(await findRedis(), dir);
}

async function startWorker(setup: WorkerSetup, onPass: (pass: Pass) => void): Promise<ChildProcess> {
  const child = fork(WORKER, [JSON.stringify(setup)]);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
    child.on('message', (message: WorkerMessage) => {
      if ('pass' in message) onPass(message.pass);
      else resolve();
    });
  });
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
