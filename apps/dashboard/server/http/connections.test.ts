import { once } from 'node:events';
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';

let bed: DashboardBed;
let port = 0;
beforeAll(async () => {
  bed = await DashboardBed.open({ limits: { slowBodySeconds: 1, connections: 60 } });
  port = Number(new URL(await bed.listen()).port);
});
afterAll(() => bed.close());

/** A connection that sends the headers of a request and a part of its body. */
async function begun(path: string, head: Record<string, string>, part: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  // A refused connection may close before its connect event.
  await once(socket, 'connect').catch(() => {});
  const lines = Object.entries({ host: 'localhost', ...head }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${part}`);
  return socket;
}

async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  // Not `once` of node:events: a reset connection emits an error first.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

const JSON_HEAD = { 'content-type': 'application/json', 'content-length': '1000' };

test.each([
  ['of JSON, with a key', '/api/score', JSON_HEAD, true, '408'],
  ['of JSON, without a key', '/api/score', JSON_HEAD, false, '401'],
  [
    'of an upload that does not move',
    '/api/runs/upload',
    { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '100000' },
    true,
    '408',
  ],
])('bodies %s, that never come are not waited for', async (_, path, head, keyed, status) => {
  const authorization = keyed ? { authorization: `Bearer ${bed.keys.submit.key}` } : undefined;
  const sockets = await Promise.all(
    Array.from({ length: 20 }, () => begun(path, { ...head, ...authorization }, '{"text": ')),
  );
  for (const answer of await Promise.all(sockets.map(answerOf))) expect(answer).toMatch(`HTTP/1.1 ${status}`);
  expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toContain('alive');
});

test('no more connections are taken than may be open', async () => {
  const sockets = await Promise.all(
    Array.from({ length: 100 }, () => begun('/healthz', { 'content-length': '10' }, '')),
  );
  const answers = await Promise.all(sockets.map(answerOf));
  const refused = answers.filter((answer) => answer === '').length;
  expect(refused).toBeGreaterThanOrEqual(40);
  expect(refused).toBeLessThan(100);
  expect(bed.log).toContain('connections are refused: as many as may be are open');
});

test('clients that go before their answer or in the middle of a body are no failures of the server', async () => {
  const authorization = `Bearer ${bed.keys.submit.key}`;
  const body = JSON.stringify({ text: 'nobody waits for this' });
  const waiting = await begun(
    '/api/score',
    { authorization, 'content-type': 'application/json', 'content-length': String(body.length) },
    body,
  );
  const states = async (): Promise<string[]> => {
    const { rows } = await bed.database.pool.query<{ state: string }>('select state from parcels');
    return rows.map(({ state }) => state);
  };
  await expect.poll(states).toEqual(['waiting']);
  waiting.destroy();
  await expect.poll(states).toEqual(['cancelled']);
  const partly = await begun('/api/score', { authorization, ...JSON_HEAD }, '{"te');
  partly.destroy();
  const lines = (): { level: number; msg: string }[] =>
    bed.log
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { level: number; msg: string });
  await expect
    .poll(() => lines().filter(({ msg }) => msg === 'the client has gone').length)
    .toBeGreaterThanOrEqual(2);
  expect(lines().filter(({ level }) => level >= 50)).toEqual([]);
});

test.each([
  ['of a route that reads none', {}],
  ['of a request for another protocol', { connection: 'upgrade', upgrade: 'websocket' }],
])('a body %s does not hold up the next request of its client', async (_, head) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (method: string, path: string, headers: OutgoingHttpHeaders, body?: Buffer) => {
    const asked = request({ agent, port, host: '127.0.0.1', method, path, headers });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'close');
    return answer.statusCode;
  };
  const headers = {
    authorization: `Bearer ${bed.keys.admin.key}`,
    'content-type': 'multipart/form-data; boundary=x',
    'content-length': '300001',
    ...head,
  };
  for (let i = 0; i < 3; i++) {
    expect(await ask('POST', '/api/schedules/none/run-now', headers, Buffer.alloc(300_001))).toBe(404);
    expect(await ask('GET', '/healthz', {})).toBe(200);
  }
  agent.destroy();
});
