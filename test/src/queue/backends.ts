import { type ChildProcess, spawn } from 'node:child_process';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { TestDatabase } from '@tocsin/store/testing';
import { RedisServer } from '../setup/redis.js';
import { ROOT } from '../setup/tocsin.js';

export const BACKENDS = ['postgres', 'redis'] as const;

/** A queue server, with a way to inspect it. */
export interface TestBackend {
  backend: QueueBackend;
  /** The data that the server stores for a job; undefined when it has none. */
  stored(queue: string, parcelId: number): Promise<unknown>;
  close(): Promise<void>;
}

export async function startBackend(kind: (typeof BACKENDS)[number]): Promise<TestBackend> {
  const started = kind === 'redis' ? await onRedis() : await onPostgres();
  await prepareBackend(started.backend);
  return started;
}

async function onRedis(): Promise<TestBackend> {
  const server = await RedisServer.start();
  return {
    backend: { kind: 'redis', url: server.url },
    async stored(queue, parcelId) {
      const client = server.client();
      const { data } = await client.hgetall(`tocsin:{${queue}}:parcel-${parcelId}`);
      client.disconnect();
      return data === undefined ? undefined : JSON.parse(data);
    },
    close: () => server.kill(),
  };
}

async function onPostgres(): Promise<TestBackend> {
  const database = await TestDatabase.empty();
  return {
    backend: { kind: 'postgres', url: database.url },
    async stored(queue, parcelId) {
      const { rows } = await database.pool.query<{ data: unknown }>(
        'select data from tocsin_queue.job where queue = $1 and id = $2',
        [queue, `parcel-${parcelId}`],
      );
      return rows[0]?.data;
    },
    close: () => database.close(),
  };
}

/** Another process that runs `script` with `backend`, `queue` (a name) and `ParcelWorker` in scope. */
export function spawnScript(script: string, backend: QueueBackend, queue: string): ChildProcess {
  const source = `
    import { ParcelWorker } from '@tocsin/queue';
    const [backend, queue] = JSON.parse(process.argv[1]);
    ${script}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source, JSON.stringify([backend, queue])], {
    // The workspace's packages.
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
