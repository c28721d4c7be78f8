import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisServer } from '../setup/redis.js';

let redis: RedisServer;
let postgres: TestDatabase;
beforeAll(async () => {
  redis = await RedisServer.start();
  postgres = await TestDatabase.empty();
});
afterAll(async () => {
  await redis.kill();
  await postgres.close();
});

const changed = (address: string, change: (url: URL) => void): string => {
  const url = new URL(address);
  change(url);
  return url.href;
};
const atPort1 = (url: URL): void => {
  url.port = '1';
  url.password = 's3cret';
};
const wrongPassword = (url: URL): void => {
  url.password = 's3cret';
};

async function refusal(backend: QueueBackend): Promise<Error> {
  return prepareBackend(backend).then(
    () => {
      throw new Error('it was accepted');
    },
    (error: Error) => error,
  );
}

test.each<[string, () => QueueBackend, RegExp]>([
  [
    'Redis that is not there',
    () => ({ kind: 'redis', url: changed(redis.url, atPort1) }),
    /^Redis at redis:\/\/127.0.0.1:1 does not answer: .*ECONNREFUSED/,
  ],
  [
    'Redis with another password',
    () => ({ kind: 'redis', url: changed(redis.url, wrongPassword) }),
    /^Redis at redis:\/\/127.0.0.1:\d+ does not answer: .*WRONGPASS/,
  ],
  [
    'Redis behind a password that is no part of a URL',
    () => ({ kind: 'redis', url: 'redis://:s3cret/@s3cret@127.0.0.1:1' }),
    /^REDIS_URL cannot be read: a character of the user name or password is not URL-encoded/,
  ],
  [
    'Postgres that is not there',
    () => ({ kind: 'postgres', url: changed(postgres.url, atPort1) }),
    /^the queue's tables in Postgres at \S+:1\/\w+ cannot be set up: .*ECONNREFUSED/,
  ],
  [
    'Postgres with another password',
    () => ({ kind: 'postgres', url: changed(postgres.url, wrongPassword) }),
    /cannot be set up: the password is wrong \(password authentication failed/,
  ],
])('%s is refused in words that do not hold the password', async (_name, backend, message) => {
  const error = await refusal(backend());
  expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(message) });
  expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('s3cret');
});

test('servers that are there are ready, however often and by how many that is asked', async () => {
  await prepareBackend({ kind: 'redis', url: redis.url });
  await Promise.all([1, 2, 3].map(() => prepareBackend({ kind: 'postgres', url: postgres.url })));
  await prepareBackend({ kind: 'postgres', url: postgres.url });
});
