import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorBody } from '@tocsin/contract';
import { Telemetry } from '@tocsin/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDashboard } from '../dashboard.js';
import { DashboardBed } from '../testing/dashboard-bed.js';

let page: string;
let bed: DashboardBed;
beforeAll(async () => {
  page = await mkdtemp(join(tmpdir(), 'tocsin-page-'));
  await mkdir(join(page, 'assets'));
  await writeFile(join(page, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(page, 'assets', 'main-abc.js'), 'export {};');
  bed = await DashboardBed.open({ page, limits: { bodyBytes: 50_000, jsonDepth: 20 } });
});
afterAll(async () => {
  await bed.close();
  await rm(page, { recursive: true });
});

const html = { accept: 'text/html,*/*' };

describe('the page', () => {
  test('is given for every address of its own, and to nobody else', async () => {
    for (const url of ['/', '/runs/7', '/apiary', '/sign-in?next=/']) {
      const { status, text, headers } = await bed.ask(null, { url, headers: html });
      expect([status, text.includes('<title>page</title>')]).toEqual([200, true]);
      expect(headers['cache-control']).toBe('no-cache');
    }
    expect((await bed.ask(null, { url: '/api/nothing', headers: html })).status).toBe(404);
    expect((await bed.ask(null, { url: '/v1/nothing', headers: html })).status).toBe(404);
    expect((await bed.ask(null, { url: '/runs/7' })).status).toBe(404);
    expect((await bed.ask(null, { url: '/assets/gone.js' })).status).toBe(404);
    expect((await bed.ask(null, { url: '/../dashboard.js', headers: html })).text).not.toContain('export');
  });

  test('its files with a hash in their name are kept for ever', async () => {
    const { headers, text } = await bed.ask(null, { url: '/assets/main-abc.js' });
    expect(text).toBe('export {};');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  test('runs nothing but its own files', async () => {
    for (const url of ['/', '/api/me', '/v1/models', '/nowhere']) {
      const { headers } = await bed.ask('read', { url, headers: html });
      expect(headers['content-security-policy']).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self';font-src 'self';connect-src 'self';" +
          "base-uri 'none';form-action 'self';frame-ancestors 'none'",
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  test('the reference page is there, without anything from elsewhere', async () => {
    const { status, text, headers } = await bed.ask(null, { url: '/api/reference/' });
    expect(status).toBe(200);
    expect(text).not.toMatch(/https?:\/\//);
    expect(String(headers['content-security-policy'])).not.toContain('unsafe');
    const [, script = ''] = /src="\.(\/static\/swagger-ui-bundle[^"]*)"/.exec(text) ?? [];
    expect((await bed.ask(null, { url: `/api/reference${script}` })).status).toBe(200);
  });
});

describe('refusals have one shape', () => {
  const post = (body: Buffer | string, type = 'application/json') =>
    bed.ask<ErrorBody>('admin', {
      method: 'POST',
      url: '/api/policies',
      headers: { 'content-type': type },
      body: Buffer.from(body),
    });

  test.each([
    ['{', 400],
    ['', 400],
    ['null', 400],
    ['{"name":"x","threshold":1e999}', 400],
    ['{"__proto__":{"name":"x"}}', 400],
    [Buffer.from([0x22, 0xff, 0x22]), 400],
    [`${'['.repeat(21)}${']'.repeat(21)}`, 400],
    [`{"name":"${'x'.repeat(60_000)}"}`, 413],
  ])('a body like %j', async (body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toMatch(/\S/);
    expect(answer.text).not.toContain('node_modules');
  });

  test('a body of another type', async () => {
    const { status, body } = await post('<a/>', 'application/xml');
    expect([status, body.error.code]).toEqual([415, 'unsupported_media_type']);
  });

  test('an address that is none, and a query that is empty', async () => {
    expect((await bed.ask<ErrorBody>('read', { url: '/api/%' })).body.error.code).toBe('invalid_request');
    expect((await bed.ask<ErrorBody>('read', { url: '/api/runs?limit=' })).body.error.field).toBe('limit');
    expect((await bed.ask<ErrorBody>('read', { url: '/api/runs?limit=1&limit=2' })).body.error.field).toBe(
      'limit',
    );
    expect((await bed.ask<ErrorBody>('read', { url: '/api/runs?cursor=eyJ4IjoxfQ' })).body.error.field).toBe(
      'cursor',
    );
  });

  test('a head that is too long', async () => {
    const { hostname, port } = new URL(await bed.listen());
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request({ hostname, port, path: '/api/me', headers: { 'x-long': 'a'.repeat(20_000) } })
        .once('error', reject)
        .once('response', (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
        .end();
    });
    expect(status).toBe(431);
  });

  test('a message does not repeat megabytes of what was sent', async () => {
    const names = Array.from({ length: 2_000 }, (_, i) => `"k${i}":1`);
    const { status, text } = await post(`{${names.join(',')}}`);
    expect([status, text.length < 2_000]).toEqual([400, true]);
  });

  test('what a server refuses is a 503 that says so, without names of tables', async () => {
    const alone = await DashboardBed.open();
    const { pool } = alone.database;
    await pool.query('alter table policies rename to hidden');
    await pool.query(`create function refuse() returns setof hidden language plpgsql as
      $$ begin raise exception 'disk of hidden' using errcode = '53100'; end $$`);
    await pool.query('create view policies as select * from refuse()');
    const full = await alone.ask<ErrorBody>('read', { url: '/api/policies' });
    expect([full.status, full.body.error.code]).toEqual([503, 'unavailable']);
    expect(full.body.error.message).toBe(
      'a server that Tocsin uses refused: the disk of the database server is full',
    );
    expect(full.headers['retry-after']).toBe('5');
    await alone.close();
  });

  test('a privilege that the database user lacks is a 500 without another try, and the log says what to do', async () => {
    const alone = await DashboardBed.open();
    const { pool } = alone.database;
    await pool.query('alter table policies rename to hidden');
    await pool.query(`create function refuse() returns setof hidden language plpgsql as
      $$ begin raise exception 'permission denied for table hidden' using errcode = '42501'; end $$`);
    await pool.query('create view policies as select * from refuse()');
    const refused = await alone.ask<ErrorBody>('read', { url: '/api/policies' });
    expect([refused.status, refused.body.error.code]).toEqual([500, 'internal']);
    expect(refused.body.error.message).toBe(
      'the database is not set up for this server; its log says what to do',
    );
    expect(refused.headers['retry-after']).toBeUndefined();
    expect(alone.log).toMatch(/"why":"the user lacks a privilege .*"todo":"[^"]*GRANT/);
    await alone.close();
  });

  test('a defect says nothing of itself, but to the log', async () => {
    const alone = await DashboardBed.open();
    await alone.database.pool.query('alter table api_keys rename to hidden');
    const broken = await alone.ask<ErrorBody>('read', { url: '/api/me' });
    expect([broken.status, broken.body.error.code]).toEqual([500, 'internal']);
    expect(broken.text).not.toContain('api_keys');
    expect(alone.log).toContain('relation \\"api_keys\\" does not exist');
    await alone.close();
  });
});

test('a server that cannot be made is closed again', async () => {
  const { database, backend } = bed;
  const telemetry = await Telemetry.start({ role: 'dashboard', version: '0.0.0' });
  const options = { pool: database.pool, backend, telemetry, guards: [] } as unknown as Parameters<
    typeof createDashboard
  >[0];
  await expect(createDashboard({ ...options, log: bed.app.log })).rejects.toThrow('no guard is named');
  await telemetry.close();
});
