import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { EventHub } from './event-hub.js';

test('a client that left before its events began is no listener', async () => {
  const hub = new EventHub();
  const app = fastify();
  const joined = new Promise<void>((resolve) => {
    app.get('/events', async (request, reply) => {
      client.destroy();
      await once(reply.raw, 'close');
      await hub.join(request, reply);
      resolve();
    });
  });
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const client = connect(Number(port), '127.0.0.1');
  client.write('GET /events HTTP/1.1\r\nHost: here\r\n\r\n');
  await joined;
  expect(hub.listeners).toBe(0);
  await app.close();
});
