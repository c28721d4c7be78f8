import { createKey } from '@tocsin/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed, type Request } from '../testing/dashboard-bed.js';
import { isLoopback } from './request-origin.js';

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open({ keyless: true, limits: { requestsPerMinute: 150 } });
});
afterAll(() => bed.close());

const status = async (request: Partial<Request>) =>
  (await bed.ask(null, { url: '/api/me', ...request })).status;

test('without any key this machine is the administrator, by whatever name of its own', async () => {
  const { body } = await bed.ask(null, { url: '/api/me' });
  expect(body).toMatchObject({ name: 'local', role: 'admin', keyless: true });
  for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:8080', 'LOCALHOST:1'])
    expect(await status({ headers: { host } })).toBe(200);
});

test('a name of somebody else that leads here, a proxy, and a page of another site are not', async () => {
  for (const host of [
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'localhost.evil',
  ]) {
    expect(await status({ headers: { host } })).toBe(401);
  }
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
    expect(await status({ headers: { [header]: '127.0.0.1' } })).toBe(401);
  const post = { method: 'POST', url: '/api/policies', body: {} } as const;
  expect(await status(post)).toBe(400);
  expect(await status({ ...post, headers: { origin: 'https://evil.example' } })).toBe(403);
  expect(await status({ ...post, headers: { 'sec-fetch-site': 'cross-site' } })).toBe(403);
  for (const url of ['/api/runs', '/api/me', '/v1/models', '/metrics']) {
    for (const site of ['cross-site', 'same-site'])
      expect(await status({ url, headers: { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' } })).toBe(
        403,
      );
    expect(await status({ url, headers: { referer: 'http://evil.example/' } })).toBe(403);
    expect(await status({ url, headers: { 'sec-fetch-site': 'same-origin' } })).toBe(200);
    expect(await status({ url, headers: { 'sec-fetch-site': 'none' } })).toBe(200);
  }
  const preflight = await bed.app.inject({
    method: 'OPTIONS',
    url: '/api/score',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test('a client that always sends some key is this machine, too', async () => {
  const headers = { authorization: 'Bearer sk-whatever' };
  expect(await status({ headers })).toBe(200);
  expect(await status({ headers: { ...headers, host: 'evil.example' } })).toBe(401);
});

test('another machine is not', async () => {
  const { statusCode, body } = await bed.app.inject({
    url: '/api/me',
    headers: { host: 'localhost:8080' },
    remoteAddress: '192.168.1.7',
  });
  expect(statusCode).toBe(401);
  expect(body).toContain('tocsin keys create');
});

test('the first key must be an admin key', async () => {
  const body = { name: 'first', role: 'review' };
  const answer = await bed.ask(null, { method: 'POST', url: '/api/keys', body });
  expect(answer).toMatchObject({
    status: 409,
    body: { error: { field: 'role', message: expect.stringContaining('admin') } },
  });
  expect(await status({})).toBe(200);
});

test('who asks without end is stopped for a while', async () => {
  const statuses = [];
  for (let i = 0; i < 160; i++) statuses.push(await status({}));
  expect(statuses.at(-1)).toBe(429);
  expect(await status({ url: '/healthz' })).toBe(200);
});

test('the first key ends it', async () => {
  await createKey(bed.database.pool, { name: 'first', role: 'read', createdBy: 'test' });
  expect(await status({})).toBe(401);
  expect(await status({ headers: { authorization: 'Bearer sk-whatever' } })).toBe(401);
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['::ffff:10.0.0.1', false],
  ['128.0.0.1', false],
  ['localhost.example', false],
  ['', false],
])('%s is this machine: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
