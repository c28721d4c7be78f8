import { redisUrlOf } from '@tocsin/core';
import { inspectRedis, ParcelQueue, ParcelWorker, prepareBackend, type QueueBackend } from '@tocsin/queue';
import { expect, onTestFinished, test } from 'vitest';
import { RedisServer } from '../setup/redis.js';

/** Every printable ASCII character. */
const PASSWORD = String.fromCharCode(...Array.from({ length: 95 }, (_, at) => 32 + at));

test('REDIS_PASSWORD may hold any character, for the queue, its workers and doctor', async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.kill());
  const client = redis.client();
  onTestFinished(() => client.disconnect());
  await client.config('SET', 'requirepass', PASSWORD);
  const { host } = new URL(redis.url);
  const url = redisUrlOf({ REDIS_URL: `redis://${host}`, REDIS_PASSWORD: PASSWORD }) ?? '';
  const backend: QueueBackend = { kind: 'redis', url };
  await prepareBackend(backend);
  expect(await inspectRedis(url)).toMatchObject({ evictionPolicy: 'noeviction' });
  const errors: Error[] = [];
  const queue = new ParcelQueue(backend, 'password', (error) => errors.push(error));
  onTestFinished(() => queue.close());
  await queue.add([7]);
  const taken = await new Promise<number>((resolve) => {
    const worker = new ParcelWorker(backend, 'password', async (id) => resolve(id), { concurrency: 1 });
    onTestFinished(() => worker.close());
  });
  expect(taken).toBe(7);
  expect(errors).toEqual([]);
});
