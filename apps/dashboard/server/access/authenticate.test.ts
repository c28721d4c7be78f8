import { randomBytes } from 'node:crypto';
import type { ErrorBody, Me } from '@tocsin/contract';
import type { KeyRow } from '@tocsin/store';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';
import { Secrets } from './credentials.js';

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open({ limits: { wrongKeysPerMinute: 5 } });
});
afterAll(() => bed.close());

const me = (headers: Record<string, string>) => bed.ask<Me & ErrorBody>(null, { url: '/api/me', headers });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('a key lets in who has it, as long as it is neither revoked nor expired', async () => {
  expect((await me(bearer(bed.keys.read.key))).body).toMatchObject({
    name: 'the read',
    role: 'read',
    keyless: false,
  });
  expect((await me({ authorization: `bearer  ${bed.keys.read.key} ` })).status).toBe(200);

  const revoked = await bed.newKey('admin');
  expect((await me(bearer(revoked.key))).status).toBe(200);
  expect((await bed.ask('admin', { method: 'DELETE', url: `/api/keys/${revoked.id}` })).status).toBe(200);
  expect(await me(bearer(revoked.key))).toMatchObject({
    status: 401,
    body: { error: { code: 'unauthenticated' } },
  });

  const expired = await bed.newKey('admin');
  await bed.database.pool.query(
    `update api_keys set expires_at = now() - interval '1 second' where id = $1`,
    [expired.id],
  );
  // Not tried before, so not cached.
  expect((await me(bearer(expired.key))).status).toBe(401);
});

test('once there is a key, nobody gets in without one, this machine neither', async () => {
  expect(await me({})).toMatchObject({ status: 401, body: { error: { message: 'a key is needed' } } });
  expect((await me({ 'x-forwarded-for': '127.0.0.1' })).status).toBe(401);
  expect((await me({ cookie: 'tocsin_session=nothing' })).body.error.message).toBe('the session is over');
});

test('a key is told once, and the database has no more than its hash', async () => {
  const { body } = await bed.ask<{ key: string; id: string; prefix: string }>('admin', {
    method: 'POST',
    url: '/api/keys',
    body: { name: 'new', role: 'review', expiresInDays: 2 },
  });
  expect(body.key).toMatch(/^tcs_[\w-]{43}$/);
  expect((await me(bearer(body.key))).body).toMatchObject({ name: 'new', role: 'review' });
  const { rows } = await bed.database.pool.query('select * from api_keys where id = $1', [body.id]);
  expect(JSON.stringify(rows)).not.toContain(body.key.slice(12));
  const { text } = await bed.ask('admin', { url: '/api/keys' });
  expect(text).toContain(body.prefix);
  expect(text).not.toContain(body.key);
  expect(bed.log).not.toContain(body.key);
});

test('signing in gives a cookie that no script reads and no other site sends; signing out ends it', async () => {
  const wrong = await bed.ask(null, { method: 'POST', url: '/api/session', body: { key: 'tcs_wrong' } });
  expect(wrong.status).toBe(401);
  const signIn = { method: 'POST', url: '/api/session', body: { key: bed.keys.admin.key } } as const;
  const { status, headers } = await bed.ask(null, signIn);
  expect(status).toBe(204);
  const [cookie = '', ...attributes] = String(headers['set-cookie']).split('; ');
  expect(attributes).toEqual(expect.arrayContaining(['Path=/', 'HttpOnly', 'SameSite=Strict']));
  expect((await me({ cookie })).body.name).toBe('the admin');

  // Changes must come from our own page.
  const change = (more: Record<string, string>) =>
    bed.ask(null, { method: 'POST', url: '/api/policies', headers: { cookie, ...more }, body: {} });
  expect((await change({ origin: 'https://evil.example' })).status).toBe(403);
  expect((await change({ origin: 'null' })).status).toBe(403);
  expect((await change({ origin: 'http://localhost:8081' })).status).toBe(403);
  expect((await change({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await change({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
  expect((await change({ origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' })).status).toBe(
    400,
  );
  // Other pages may not read or cause work either: with a cookie, same-site is another server on this machine.
  const look = async (more: Record<string, string>) => (await me({ cookie, ...more })).status;
  for (const site of ['cross-site', 'same-site']) expect(await look({ 'sec-fetch-site': site })).toBe(403);
  expect(await look({ origin: 'https://evil.example' })).toBe(403);
  expect(await look({ referer: 'https://evil.example/page' })).toBe(403);
  for (const site of ['same-origin', 'none']) expect(await look({ 'sec-fetch-site': site })).toBe(200);
  expect((await me({ ...bearer(bed.keys.read.key), 'sec-fetch-site': 'cross-site' })).status).toBe(200);

  const form = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
  expect(
    (await bed.ask(null, { method: 'POST', url: '/api/policies', headers: form, body: 'name=x' })).status,
  ).toBe(415);

  const out = { method: 'DELETE', url: '/api/session', headers: { cookie } } as const;
  expect((await bed.ask(null, { ...out, headers: { cookie, origin: 'https://evil.example' } })).status).toBe(
    403,
  );
  expect((await bed.ask(null, out)).status).toBe(204);
  expect((await me({ cookie })).status).toBe(401);
});

test('the session ends with its key', async () => {
  const { id, key } = await bed.newKey('read');
  const { headers } = await bed.ask(null, { method: 'POST', url: '/api/session', body: { key } });
  const [cookie = ''] = String(headers['set-cookie']).split('; ');
  expect((await me({ cookie })).status).toBe(200);
  await bed.ask('admin', { method: 'DELETE', url: `/api/keys/${id}` });
  expect((await me({ cookie })).status).toBe(401);
});

test('who shows one wrong key after the other is slowed down; who has a right one is not', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 10; i++) statuses.push((await me(bearer(`tcs_${i}`))).status);
  expect(statuses.slice(-2)).toEqual([429, 429]);
  const refused = await me(bearer('tcs_again'));
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await me(bearer(bed.keys.read.key))).status).toBe(200);
});

test('wrong keys share queries, however many there are; malformed ones and those that were shown before cost none', async () => {
  const { pool } = bed.database;
  const asked = vi.spyOn(pool, 'query');
  const lookUps = () =>
    asked.mock.calls.filter(([text]) => String(text).includes('from api_keys k where k.hash')).length;
  const wrong = Array.from({ length: 300 }, () => `tcs_${randomBytes(32).toString('base64url')}`);
  const statuses = await Promise.all(wrong.map(async (key) => (await me(bearer(key))).status));
  expect(new Set(statuses)).toEqual(new Set([429]));
  expect(lookUps()).toBeLessThan(30);
  const before = lookUps();
  for (const key of wrong.slice(0, 50)) await me(bearer(key));
  for (let i = 0; i < 50; i++) await me(bearer(`nonsense${i}`));
  expect(lookUps()).toBe(before);
  // From the same address: a new key, and a cached one.
  const { key } = await bed.newKey('read');
  expect((await me(bearer(key))).status).toBe(200);
  expect((await me(bearer(bed.keys.read.key))).status).toBe(200);
  asked.mockRestore();
});

test('a key that is revoked while it is looked up is not taken for good afterwards', async () => {
  let answer = (_: Map<string, KeyRow>): void => {};
  const secret = `tcs_${'a'.repeat(43)}`;
  let asked = 0;
  const secrets = new Secrets(() => {
    asked += 1;
    return asked === 1 ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(new Map());
  }, /./);
  const first = secrets.check(secret);
  secrets.forget();
  answer(new Map([[secret, { id: 'x' } as KeyRow]]));
  expect(await first).toMatchObject({ id: 'x' });
  expect(await secrets.check(secret)).toBeUndefined();
});
