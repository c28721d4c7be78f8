import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ParcelQueue, ParcelWorker, queueNameOf } from '@tocsin/queue';
import { describe, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { BACKENDS, spawnScript, startBackend } from './backends.js';

const QUEUE = queueNameOf('6f1f7c1e-2d27-4d2e-9a54-4d3cf3cf9d10');

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
    const children: ChildProcess[] = [];
    const hold = async (id: number): Promise<ChildProcess> => {
      const child = spawnScript(HOLD, server.backend, QUEUE);
      children.push(child);
      await queue.add([id]);
      if (child.stdout === null) throw new Error('no stdout');
      expect(String(await once(child.stdout, 'data'))).toBe(`${id}\n`);
      return child;
    };
    try {
      const alive = await hold(7);
      // Its lease, the later one, is not renewed: once that has expired, the other's has been renewed.
      const stopped = await hold(8);
      stopped.kill('SIGSTOP');
      const got: number[] = [];
      const take = async (id: number): Promise<void> => {
        got.push(id);
      };
      const second = new ParcelWorker(server.backend, QUEUE, take, { concurrency: 1 });
      await until(() => got[0]);
      expect(got).toEqual([8]);

      alive.kill('SIGKILL');
      await until(() => got[1]);
      expect(got).toEqual([8, 7]);
      await second.close();
    } finally {
      for (const child of children) child.kill('SIGKILL');
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
