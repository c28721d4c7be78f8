import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from './testing/dashboard-bed.js';
import { scoredRun } from './testing/scored-run.js';

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open();
});
afterAll(() => bed.close());

test('smoke', async () => {
  const { pool } = bed.database;
  console.log(await bed.ask('admin', { url: '/api/me' }));
  const doc = await bed.ask<{ paths: Record<string, Record<string, unknown>> }>(null, {
    url: '/api/openapi.json',
  });
  console.log(
    doc.status,
    doc.status === 200
      ? Object.entries(doc.body.paths)
          .map(([p, o]) => `${Object.keys(o)} ${p}`)
          .join('\n')
      : doc.text,
  );
  const id = await scoredRun(pool, {
    fingerprint: bed.guard.fingerprint,
    rows: Array.from({ length: 20 }, (_, i) => ({ text: `text ${i}`, score: i / 20 })),
    rejects: ['bad'],
  });
  for (const url of [
    `/api/runs`,
    `/api/runs/${id}`,
    `/api/runs/${id}/histogram?bins=5`,
    `/api/runs/${id}/counts?threshold=0.5`,
    `/api/runs/${id}/items?limit=3`,
    `/api/runs/${id}/items/3`,
    `/api/runs/${id}/rejects`,
    `/api/runs/${id}/export`,
    `/api/guards`,
    '/api/policies',
    `/api/policies/default/preview?run=${id}&threshold=0.4`,
    '/api/schedules',
    '/api/audit',
    '/api/keys',
    `/api/reviews/summary?run=${id}`,
    '/nowhere',
    '/api/nowhere',
    '/v1/models',
    '/v1/nowhere',
    '/api/reference/',
    '/healthz',
    '/%',
    '/api/runs/abc',
    '/api/runs?limit=',
  ]) {
    const a = await bed.ask('admin', { url });
    console.log(url, a.status, a.text.slice(0, 700));
  }
  console.log(bed.log.slice(-3000));
  expect(1).toBe(1);
});
