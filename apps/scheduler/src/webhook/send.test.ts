import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sendMessage } from './send.js';

interface Received {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(24, 4).toString('base64')}`;
const message = { id: 'msg_1', body: '{"type":"test","data":{"rows":3}}' };
const allowed = { secrets: [SECRET], allowPrivate: true };
const strict = { secrets: [SECRET], allowPrivate: false };

let server: Server;
let port: number;
let received: Received[] = [];
/** The server's response. */
let answer: { status: number; headers?: Record<string, string>; body?: string } = { status: 204 };

beforeAll(async () => {
  server = createServer((request, response) => {
    void read(request).then((body) => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  answer = { status: 204 };
});

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const url = (host = '127.0.0.1', path = '/hook'): string => `http://${host}:${port}${path}`;

test('a message arrives as JSON, and its signature is one that the library verifies', async () => {
  expect(await sendMessage(message, { ...allowed, url: url() })).toEqual({ kind: 'delivered', status: 204 });
  const [one] = received;
  expect(one).toMatchObject({ method: 'POST', path: '/hook', body: message.body });
  expect(one?.headers['content-type']).toBe('application/json');
  expect(one?.headers['webhook-id']).toBe('msg_1');
  const headers = one?.headers as Record<string, string>;
  expect(new Webhook(SECRET).verify(one?.body ?? '', headers)).toEqual(JSON.parse(message.body));
  expect(() => new Webhook(OTHER).verify(one?.body ?? '', headers)).toThrow(/No matching signature/);
  expect(JSON.stringify(one)).not.toContain(SECRET.slice(6));
});

test('while one secret replaces another, either verifies', async () => {
  await sendMessage(message, { ...allowed, secrets: [SECRET, OTHER], url: url() });
  const headers = received[0]?.headers as Record<string, string>;
  for (const secret of [SECRET, OTHER])
    expect(new Webhook(secret).verify(message.body, headers)).toBeDefined();
});

test('410 closes the webhook, other error statuses are failures, and redirects are not followed', async () => {
  answer = { status: 410 };
  expect(await sendMessage(message, { ...allowed, url: url() })).toEqual({ kind: 'gone', status: 410 });
  answer = { status: 503, headers: { 'retry-after': '120' } };
  expect(await sendMessage(message, { ...allowed, url: url() })).toEqual({
    kind: 'failed',
    status: 503,
    reason: 'the receiver answered 503',
    retryAfterSeconds: 120,
  });
  answer = { status: 307, headers: { location: url('127.0.0.1', '/elsewhere') } };
  expect(await sendMessage(message, { ...allowed, url: url() })).toMatchObject({
    kind: 'failed',
    status: 307,
    reason: 'the receiver answered 307, and redirects are not followed',
  });
  expect(received.map(({ path }) => path)).toEqual(['/hook', '/hook', '/hook']);
});

test('of an answer without end only the head is read', async () => {
  const endless = createServer((_, response) => {
    response.writeHead(200);
    const more = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
    response.on('close', () => clearInterval(more));
  });
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/`;
  try {
    expect(await sendMessage(message, { ...allowed, url: at })).toEqual({ kind: 'delivered', status: 200 });
  } finally {
    endless.closeAllConnections();
    endless.close();
  }
});

test('nobody there, and a name that nobody has, are failures', async () => {
  expect(await sendMessage(message, { ...allowed, url: 'http://127.0.0.1:1/' })).toMatchObject({
    kind: 'failed',
    status: null,
    reason: expect.stringMatching(/ECONNREFUSED/),
  });
  expect(await sendMessage(message, { ...allowed, url: 'http://nobody.invalid/' })).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/nobody\.invalid/),
  });
});

test('a name that resolves to a private address is refused, and nothing arrives', async () => {
  const sent = await sendMessage(message, { ...strict, url: `https://localhost:${port}/hook` });
  expect(sent).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(/^localhost is (127\.0\.0\.1|::1), which is not a public address/),
  });
  expect(received).toEqual([]);
});

test.each([
  [
    'one private among public ones',
    [
      { address: '8.8.8.8', family: 4 },
      { address: '10.0.0.7', family: 4 },
    ],
  ],
  ['IPv4 in IPv6', [{ address: '::ffff:127.0.0.1', family: 6 }]],
  ['metadata', [{ address: '169.254.169.254', family: 4 }]],
])('what a name resolves to is refused: %s', async (_what, addresses) => {
  const sent = await sendMessage(message, {
    ...strict,
    url: `https://hooks.example:${port}/`,
    resolve: async () => addresses,
  });
  expect(sent).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/^hooks\.example is /) });
});

test.each(['https://127.0.0.1', 'https://[::ffff:127.0.0.1]', 'https://0x7f000001', 'http://example.com'])(
  '%s is not called',
  async (origin) => {
    expect(await sendMessage(message, { ...strict, url: origin })).toMatchObject({ kind: 'refused' });
  },
);

test('the connection goes where the one look at the name has said', async () => {
  let looks = 0;
  const sent = await sendMessage(message, {
    ...allowed,
    url: url('hooks.example'),
    resolve: async () => {
      looks++;
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
  expect(sent).toMatchObject({ kind: 'delivered' });
  expect(looks).toBe(1);
  expect(received[0]?.headers.host).toBe(`hooks.example:${port}`);
});
