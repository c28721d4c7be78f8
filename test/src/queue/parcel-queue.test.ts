import { ParcelQueue, ParcelWorker, queueNameOf } from '@tocsin/queue';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { BACKENDS, startBackend, type TestBackend } from './backends.js';

describe.each(BACKENDS)('a queue on %s', (kind) => {
  let server: TestBackend;
  const open: { close(): Promise<void> }[] = [];
  let queues = 0;

  beforeAll(async () => {
    server = await startBackend(kind);
  });
  afterAll(() => server.close());
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  function newQueue(): { name: string; queue: ParcelQueue } {
    const name = queueNameOf(`queue-${++queues}`);
    const queue = new ParcelQueue(server.backend, name);
    open.push(queue);
    return { name, queue };
  }

  function work(name: string, handle: (id: number) => Promise<void>, concurrency = 1): ParcelWorker {
    const worker = new ParcelWorker(server.backend, name, handle, { concurrency });
    open.unshift(worker);
    return worker;
  }

  async function forgotten(name: string, parcelId: number): Promise<true | undefined> {
    return (await server.stored(name, parcelId)) === undefined ? true : undefined;
  }

  /** Collects a worker's parcels. */
  function collect(name: string): number[] {
    const got: number[] = [];
    work(name, async (id) => {
      got.push(id);
    });
    return got;
  }

  test('a parcel that is queued already is not queued twice, and all come in order', async () => {
    const { name, queue } = newQueue();
    await queue.add([1, 2, 3]);
    await queue.add([2, 3, 4]);
    await Promise.all([queue.add([5, 4]), queue.add([])]);
    const got = collect(name);
    await until(() => (got.length >= 5 ? true : undefined));
    expect(got).toEqual([1, 2, 3, 4, 5]);
  });

  test('interactive parcels are taken by turns, and no more of them than their tokens allow', async () => {
    const { name, queue } = newQueue();
    await queue.add([10, 11, 12, 13, 14].map((id, turn) => ({ id, tokens: 600, turn })));
    await queue.add([{ id: 20, tokens: 30, turn: 0 }]);
    const held = new Map<number, () => void>();
    const got: number[] = [];
    let most = 0;
    const worker = new ParcelWorker(
      server.backend,
      name,
      (id) => {
        got.push(id);
        most = Math.max(most, held.size + 1);
        return new Promise((resolve) => {
          held.set(id, () => {
            held.delete(id);
            resolve();
          });
        });
      },
      { concurrency: 64, heldTokens: () => 1_000 },
    );
    open.unshift(worker);
    for (let finished = 0; finished < 6; finished++) {
      const [release] = await until(() => (held.size > 0 ? [...held.values()] : undefined));
      release?.();
    }
    expect(got).toEqual([10, 20, 11, 12, 13, 14]);
    // 600 + 30 + 600: a third one of 600 never fits.
    expect(most).toBeLessThanOrEqual(3);
  });

  test('a parcel that is taken out of the queue is given to nobody', async () => {
    const { name, queue } = newQueue();
    await queue.add([1, 2, 3]);
    await queue.remove([1, 3, 7]);
    const got = collect(name);
    await queue.add([4]);
    await until(() => (got.length >= 2 ? true : undefined));
    expect(got).toEqual([2, 4]);
  });

  test('a parcel that a worker holds is not given to another when it is added again', async () => {
    const { name, queue } = newQueue();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const got: number[] = [];
    work(
      name,
      async (id) => {
        got.push(id);
        if (id === 1) await held;
      },
      2,
    );
    await queue.add([1]);
    await until(() => got[0]);
    await queue.add([1, 2]);
    await until(() => got[1]);
    release();
    // The next one in the queue is done, so its turn would have passed.
    await queue.add([3]);
    await until(() => got[2]);
    expect(got).toEqual([1, 2, 3]);
  });

  test('a parcel that is over can be queued again', async () => {
    const { name, queue } = newQueue();
    const got = collect(name);
    await queue.add([1]);
    await until(() => got[0]);
    await until(() => forgotten(name, 1));
    await queue.add([1]);
    await until(() => got[1]);
    expect(got).toEqual([1, 1]);
  });

  test('a parcel whose handler fails is forgotten, and can be queued again', async () => {
    const { name, queue } = newQueue();
    let calls = 0;
    work(name, async () => {
      if (++calls === 1) throw new Error('Postgres is away');
    });
    await queue.add([1]);
    await until(() => (calls === 1 ? true : undefined));
    await until(() => forgotten(name, 1));
    await queue.add([1]);
    await until(() => (calls === 2 ? true : undefined));
  });

  test('a worker that closes finishes what it holds and takes nothing new', async () => {
    const { name, queue } = newQueue();
    const begun: number[] = [];
    const done: number[] = [];
    let finish = (): void => {};
    const closing = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const worker = work(
      name,
      async (id) => {
        begun.push(id);
        await closing;
        done.push(id);
      },
      2,
    );
    await queue.add([1, 2, 3, 4]);
    await until(() => (begun.length === 2 ? true : undefined));
    const closed = worker.close();
    finish();
    await closed;
    expect(done.toSorted()).toEqual([1, 2]);
    expect(begun).toEqual(begun.filter((id) => done.includes(id)));

    const rest = collect(name);
    await until(() => (rest.length === 2 ? true : undefined));
    expect(rest.toSorted()).toEqual([3, 4]);
  });

  test('a job carries the id of its parcel and nothing else', async () => {
    const { name, queue } = newQueue();
    await queue.add([42]);
    expect(await server.stored(name, 42)).toEqual({ parcelId: 42 });
  });

  test("guards' queues are apart", async () => {
    const [mine, theirs] = [newQueue(), newQueue()];
    await mine.queue.add([1]);
    await theirs.queue.add([2]);
    const got = collect(theirs.name);
    await until(() => got[0]);
    expect(got).toEqual([2]);
  });
});
