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

test('HEAD is answered, and is no listener', async () => {
  const hub = new EventHub();
  const app = fastify();
  app.get('/events', async (request, reply) => {
    await hub.join(request, reply);
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const { status, headers } = await fetch(`${origin}/events`, { method: 'HEAD' });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  expect(hub.listeners).toBe(0);
  await app.close();
});

test('a request whose Host is no name is refused, and does not wait for ever', async () => {
  const hub = new EventHub();
  const app = fastify();
  app.get('/events', (request, reply) => hub.join(request, reply));
  for (const host of ['[::1', 'a b', '%']) {
    const { statusCode } = await app.inject({ url: '/events', headers: { host } });
    expect([host, statusCode]).not.toEqual([host, 200]);
  }
  expect(hub.listeners).toBe(0);
  await app.close();
});
