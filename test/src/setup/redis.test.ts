import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisServer } from './redis.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.kill());

test('a Redis server that is killed comes back empty at the same address', async () => {
  const client = server.client();
  await client.set('word', 'kept');
  expect(await client.get('word')).toBe('kept');
  await server.kill();
  await server.startAgain();
  expect(await client.get('word')).toBeNull();
  client.disconnect();
});
