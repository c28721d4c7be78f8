import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParcelQueue, ParcelWorker, queueNameOf } from '@tocsin/queue';
import { describe, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { BACKENDS, spawnScript, startBackend } from './backends.js';

const QUEUE = queueNameOf('6f1f7c1e-2d27-4d2e-9a54-4d3cf3cf9d10');
/** Longer than a lease plus the check for stalled jobs. */
const LONGER_THAN_A_LEASE_MS = 8_000;

/** Takes a parcel, reports it, and never finishes it. */
const HOLD = `new ParcelWorker(
  backend,
  queue,
  (id) => { console.log(id); return new Promise(() => {}); },
  { concurrency: 1 },
);`;

describe.concurrent.each(BACKENDS)('on %s', (kind) => {
  test('a parcel stays with its worker while that lives, and goes to another when it is killed', async () => {
    const server = await startBackend(kind);
    const queue = new ParcelQueue(server.backend, QUEUE);
    const child = spawnScript(HOLD, server.backend, QUEUE);
    try {
      await queue.add([7]);
      if (child.stdout === null) throw new Error('no stdout');
      expect(String(await once(child.stdout, 'data'))).toBe('7\n');
      const got: number[] = [];
      const take = async (id: number): Promise<void> => {
        got.push(id);
      };
      const second = new ParcelWorker(server.backend, QUEUE, take, { concurrency: 1 });
      await sleep(LONGER_THAN_A_LEASE_MS);
      expect(got).toEqual([]);

      child.kill('SIGKILL');
      await until(() => got[0]);
      expect(got).toEqual([7]);
      await second.close();
    } finally {
      child.kill('SIGKILL');
      await queue.close();
      await server.close();
    }
  });

  test('a worker that is closed before it is connected lets its process end', async () => {
    const server = await startBackend(kind);
    const script = `await new ParcelWorker(backend, queue, async () => {}, { concurrency: 1 }).close();`;
    const child = spawnScript(script, server.backend, QUEUE);
    try {
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      await server.close();
    }
  });
});
