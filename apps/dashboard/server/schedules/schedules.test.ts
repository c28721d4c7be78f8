import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorBody, Schedule } from '@tocsin/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';
import { allowedSource } from './allowed-source.js';

let dir: string;
let root: string;
let bed: DashboardBed;
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'tocsin-roots-')));
  root = join(dir, 'corpora');
  await mkdir(join(root, 'nested'), { recursive: true });
  await writeFile(join(root, 'rows.jsonl'), '{"text":"x"}\n');
  await writeFile(join(dir, 'private.jsonl'), '{"text":"secret"}\n');
  await symlink(join(dir, 'private.jsonl'), join(root, 'link.jsonl'));
  await symlink(dir, join(root, 'up'));
  bed = await DashboardBed.open({
    schedules: {
      corpusRoots: [root],
      allowPrivateWebhooks: false,
    },
  });
});
afterAll(async () => {
  await bed.close();
  await rm(dir, { recursive: true });
});

test.each([
  'rows.jsonl',
  'nested',
  '.',
  'not-yet.jsonl',
  'nested/*.jsonl',
  '**/*.csv',
  'nested/../rows.jsonl',
])('a schedule may read %s', async (source) => {
  expect(await allowedSource(source, [root])).toBe(join(root, source));
});

test.each([
  '..',
  '../private.jsonl',
  'nested/../../private.jsonl',
  '/etc/passwd',
  'link.jsonl',
  'up/private.jsonl',
  'up/*.jsonl',
  '/etc/*',
  '-',
  'postgres://user@localhost/db',
  'file:///etc/passwd',
])('a schedule may not read %s', async (source) => {
  await expect(allowedSource(source, [root])).rejects.toMatchObject({ status: 422 });
});

test('without a root nobody makes schedules', async () => {
  await expect(allowedSource('rows.jsonl', [])).rejects.toMatchObject({ status: 403 });
});

test('a schedule is made, paused, resumed, run and removed; its webhook is shown without what lets one in', async () => {
  const post = (body: object) =>
    bed.ask<Schedule & ErrorBody>('admin', { method: 'POST', url: '/api/schedules', body });
  const nightly = {
    name: 'nightly',
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    corpus: ['rows.jsonl'],
    webhookUrl: 'https://hooks.example/abc?token=secret',
  };
  const { status, body } = await post(nightly);
  expect(status).toBe(201);
  expect(body).toMatchObject({
    corpus: [join(root, 'rows.jsonl')],
    guard: bed.guard.ref,
    retain: 'flagged',
    enabled: true,
    webhookUrl: 'https://hooks.example/***',
  });
  expect((await post(nightly)).status).toBe(409);
  expect((await post({ ...nightly, name: 'b', cron: 'often' })).status).toBe(422);
  expect((await post({ ...nightly, name: 'b', timeZone: 'Mars/Base' })).status).toBe(422);
  expect((await post({ ...nightly, name: 'b', webhookUrl: 'http://127.0.0.1/' })).status).toBe(422);
  expect((await post({ ...nightly, name: 'b', guard: 'none' })).body.error.field).toBe('guard');

  const patch = (enabled: boolean) =>
    bed.ask<Schedule>('admin', { method: 'PATCH', url: '/api/schedules/nightly', body: { enabled } });
  expect((await patch(false)).body.enabled).toBe(false);
  expect((await patch(true)).body.enabled).toBe(true);
  const run = () => bed.ask('admin', { method: 'POST', url: '/api/schedules/nightly/run-now' });
  expect((await run()).status).toBe(202);
  expect((await run()).status).toBe(409);
  const firings = await bed.ask('read', { url: '/api/schedules/nightly/firings' });
  expect(firings.body).toMatchObject({ data: [{ cause: 'hand', state: 'due', run: null }] });
  expect((await bed.ask('read', { url: '/api/schedules/nightly/deliveries' })).body).toEqual({ data: [] });
  expect(
    (await bed.ask('admin', { method: 'POST', url: '/api/schedules/nightly/test-webhook' })).status,
  ).toBe(422);
  expect((await bed.ask('admin', { method: 'DELETE', url: '/api/schedules/nightly' })).status).toBe(204);
  expect((await bed.ask('read', { url: '/api/schedules/nightly' })).status).toBe(404);
  const log = await bed.ask('admin', { url: '/api/audit' });
  expect(log.text).not.toContain('token=secret');
  expect(log.body).toMatchObject({
    data: [{ action: 'schedule.remove' }, { action: 'schedule.run_now' }, {}, {}, {}],
  });
});
