import type { ErrorBody, Policy, PolicyList } from '@tocsin/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';
import { scoredRun } from '../testing/scored-run.js';

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open();
});
afterAll(() => bed.close());

test('a policy is moved, renamed and archived, and each change is kept with who and why', async () => {
  const make = { name: 'careful', threshold: 0.25, meaning: 'For the young.', note: 'asked for by the team' };
  expect((await bed.ask('admin', { method: 'POST', url: '/api/policies', body: make })).status).toBe(201);
  expect((await bed.ask('admin', { method: 'POST', url: '/api/policies', body: make })).status).toBe(409);
  const patch = (name: string, body: object) =>
    bed.ask<Policy & ErrorBody>('admin', { method: 'PATCH', url: `/api/policies/${name}`, body });
  expect((await patch('careful', { threshold: 0.125, note: 'too lax' })).body.threshold).toBe(0.125);
  expect((await patch('careful', { name: 'strict' })).status).toBe(409);
  expect((await patch('careful', { name: 'gentle', archived: true })).body).toMatchObject({
    name: 'gentle',
    changedBy: 'the admin',
    archivedAt: expect.any(String) as string,
  });
  expect((await patch('careful', { archived: true })).status).toBe(404);

  const { body } = await bed.ask<{ data: { what: string }[]; next: string }>('read', {
    url: '/api/policies/gentle/changes?limit=3',
  });
  expect(body.data).toMatchObject([
    { what: 'archived', who: 'the admin' },
    { what: 'renamed', wordsFrom: 'careful', wordsTo: 'gentle', from: null },
    { what: 'threshold', from: 0.25, to: 0.125, note: 'too lax' },
  ]);
  const last = await bed.ask('read', { url: `/api/policies/gentle/changes?cursor=${body.next}` });
  expect(last.body).toMatchObject({ data: [{ what: 'created', note: 'asked for by the team' }], next: null });

  const names = async (query: string) =>
    (await bed.ask<PolicyList>('read', { url: `/api/policies${query}` })).body.data.map(({ name }) => name);
  expect(await names('')).toEqual(['strict', 'default', 'permissive']);
  expect(await names('?archived=true')).toContain('gentle');
  const audit = await bed.ask('admin', { url: '/api/audit?action=policy.change' });
  expect(audit.body).toMatchObject({
    data: [{ subject: 'careful' }, { subject: 'careful', details: { to: 0.125 } }],
  });
});

test('a move is previewed: how many rows it would flag, and which', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ text: `row ${i}`, score: i / 20 }));
  const run = await scoredRun(bed.database.pool, { fingerprint: 'd'.repeat(64), rows });
  const preview = async (threshold: number) =>
    (
      await bed.ask('read', {
        url: `/api/policies/default/preview?run=${run}&threshold=${threshold}&examples=2`,
      })
    ).body;
  expect(await preview(0.25)).toMatchObject({
    run,
    from: 0.5,
    to: 0.25,
    before: 10,
    after: 15,
    added: 5,
    removed: 0,
    examples: [
      { seq: 6, key: 'row-6', score: 0.25, preview: 'row 5' },
      { seq: 7, score: 0.3 },
    ],
  });
  expect(await preview(0.9)).toMatchObject({
    before: 10,
    after: 2,
    added: 0,
    removed: 8,
    examples: [{ seq: 18 }, { seq: 17 }],
  });
});

test('names and notes that no database keeps are refused', async () => {
  const post = (body: object) =>
    bed.ask<ErrorBody>('admin', {
      method: 'POST',
      url: '/api/policies',
      body: { name: 'x', threshold: 0.5, ...body },
    });
  expect((await post({ meaning: 'a\0b' })).body.error).toMatchObject({
    code: 'invalid_request',
    field: 'meaning',
  });
  expect((await post({ note: '\ud800' })).body.error.field).toBe('note');
  expect((await post({ name: 'two words' })).body.error.field).toBe('name');
  expect((await post({ threshold: 1.5 })).body.error.field).toBe('threshold');
  expect((await post({ surprise: 1 })).status).toBe(400);
});
