import { inspectRedis, ParcelQueue, ParcelWorker, prepareBackend, queueNameOf } from '@tocsin/queue';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { RedisProcess } from '../setup/redis-process.js';

const SLOTS = 16_384;
let nodes: RedisProcess[];
let url: string;

/** Two masters with half of the slots each: a key on the wrong one fails with MOVED, keys on both with CROSSSLOT. */
beforeAll(async () => {
  const found = inject('redis');
  if ('missing' in found) throw new Error(found.missing);
  const start = (): Promise<RedisProcess> =>
    RedisProcess.start(found.program, scratchDir(), { 'cluster-enabled': 'yes' });
  nodes = await Promise.all([start(), start()]);
  const clients = nodes.map((node) => node.client());
  for (const [i, client] of clients.entries()) {
    const slots = Array.from({ length: SLOTS / 2 }, (_, slot) => slot + (i * SLOTS) / 2);
    await client.call('CLUSTER', 'ADDSLOTS', ...slots);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
  }
  const [first, second] = nodes.map((node) => new URL(node.url));
  await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', second?.port ?? '');
  for (const client of clients) {
    await until(async () =>
      /cluster_state:ok.*cluster_known_nodes:2/s.test(String(await client.call('CLUSTER', 'INFO')))
        ? true
        : undefined,
    );
    client.disconnect();
  }
  url = `redis+cluster://${first?.username}:${first?.password}@${first?.host},${second?.host}`;
});
afterAll(() => Promise.all(nodes.map((node) => node.kill())));

test('queues of a cluster are spread over its nodes, and each hands out its parcels', async () => {
  const backend = { kind: 'redis', url } as const;
  await prepareBackend(backend);
  const names = Array.from({ length: 8 }, (_, i) => queueNameOf(`guard-${i}`));
  for (const [i, name] of names.entries()) {
    const queue = new ParcelQueue(backend, name);
    await queue.add([i, i + 100, i + 200]);
    await queue.close();
  }
  const holding = await Promise.all(
    nodes.map(async (node) => {
      const client = node.client();
      const waiting = await client.keys('tocsin:*:wait');
      client.disconnect();
      return waiting;
    }),
  );
  expect(holding.flat().sort()).toEqual(names.map((name) => `tocsin:{${name}}:wait`).sort());
  for (const waiting of holding) expect(waiting).not.toEqual([]);

  for (const [i, name] of names.entries()) {
    const taken: number[] = [];
    const worker = new ParcelWorker(backend, name, async (id) => void taken.push(id), { concurrency: 1 });
    await until(() => (taken.length === 3 ? true : undefined));
    await worker.close();
    expect(taken).toEqual([i, i + 100, i + 200]);
  }
});

test('a parcel comes to a worker that waits for one', async () => {
  const backend = { kind: 'redis', url } as const;
  const name = queueNameOf('patient');
  const taken: number[] = [];
  const worker = new ParcelWorker(backend, name, async (id) => void taken.push(id), { concurrency: 1 });
  await worker.ready();
  const clients = nodes.map((node) => node.client());
  const commands = (): Promise<string> =>
    Promise.all(clients.map((client) => client.client('LIST'))).then((lists) => lists.join(''));
  await until(async () => ((await commands()).includes('cmd=bzpopmin') ? true : undefined));
  for (const client of clients) client.disconnect();
  const queue = new ParcelQueue(backend, name);
  await queue.add([7]);
  await until(() => (taken.length === 1 ? true : undefined));
  await worker.close();
  await queue.close();
});

test('each master of a cluster is asked whether it may evict', async () => {
  expect(await inspectRedis(url)).toMatchObject({ evictionPolicy: 'noeviction', persistent: false });
  const client = nodes[1]?.client();
  await client?.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await expect(prepareBackend({ kind: 'redis', url })).rejects.toThrow(/maxmemory-policy allkeys-lru/);
  await client?.config('SET', 'maxmemory-policy', 'noeviction');
  client?.disconnect();
});

test.each([
  [
    'a cluster that is not there',
    'redis+cluster://:s3cret@127.0.0.1:1,127.0.0.1:2',
    /^Redis at redis\+cluster:\/\/127.0.0.1:1,127.0.0.1:2 does not answer/,
  ],
  [
    'an address that cannot be read',
    'redis+cluster://:s3cret@',
    /^the address of the Redis Cluster cannot be read/,
  ],
])('%s is told without the password', async (_, address, message) => {
  const refusal = await prepareBackend({ kind: 'redis', url: address }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'UserError', message: expect.stringMatching(message) });
  expect(String(refusal)).not.toContain('s3cret');
});
