import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilGone } from '../setup/processes.js';
import { RedisServer } from '../setup/redis.js';
import { LongRun, undisturbed } from './long-run.js';

let redis: RedisServer;
let database: TestDatabase;
beforeAll(async () => {
  await undisturbed();
  redis = await RedisServer.start();
  database = await TestDatabase.empty();
});
afterAll(async () => {
  await redis.kill();
  await database.close();
});

test('Redis killed in mid-run and started again with nothing in it: every row has its one score', async () => {
  const run = await LongRun.prepare({ DATABASE_URL: database.url, REDIS_URL: redis.url });
  const { command, worker, engine } = await run.startAndWait();
  await redis.kill();
  await redis.startAgain();
  await run.release();

  await run.expectWhole(await command.ended);
  await untilGone([worker, engine]);
  const client = redis.client();
  expect(await client.keys('*parcel-*')).toEqual([]);
  client.disconnect();
});
