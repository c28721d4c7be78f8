import type { NextReview, ReviewRow, ReviewSummary } from '@tocsin/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Caller, DashboardBed } from '../testing/dashboard-bed.js';
import { scoredRun } from '../testing/scored-run.js';

let bed: DashboardBed;
let run: number;
let other: { id: string; key: string };
const SIZE = 10;
beforeAll(async () => {
  bed = await DashboardBed.open();
  other = await bed.newKey('review', 'the review');
  const rows = Array.from({ length: SIZE }, (_, i) => ({ text: `text ${i}`, score: (i + 0.5) / SIZE }));
  run = await scoredRun(bed.database.pool, { fingerprint: 'e'.repeat(64), rows });
});
afterAll(() => bed.close());

const post = async <Body>(caller: Caller, url: string, body: object) =>
  bed.ask<Body>(caller, { method: 'POST', url: `/api/reviews/${url}`, body: { run, ...body } });

async function next(caller: Caller, body: object = {}): Promise<ReviewRow> {
  const { row } = (await post<NextReview>(caller, 'next', { order: 'score', ...body })).body;
  if (row === null) throw new Error('there is no row');
  return row;
}

test('two never have the same row; the same one comes again until it is judged or let go', async () => {
  const first = await next('review');
  expect(first).toMatchObject({ run, seq: 10, score: 0.95, content: { text: 'text 9' } });
  expect((await next('review')).seq).toBe(10);
  const second = await next(other);
  expect(second.seq).toBe(9);
  expect((await post(other, 'verdicts', { seq: 10, verdict: 'fine' })).status).toBe(409);
  expect((await post('review', 'release', { seq: 10 })).status).toBe(204);
  expect((await post(other, 'verdicts', { seq: 9, verdict: 'fine', note: 'a joke' })).status).toBe(201);
  expect((await next(other)).seq).toBe(10);
  await post(other, 'release', { seq: 10 });
});

test('uncertain rows are those nearest to the threshold, or to a policy', async () => {
  expect([4, 5]).toContain((await next('review', { order: 'uncertain', threshold: 0.42 })).seq);
  await post('review', 'release', { seq: 5 });
  expect([1, 2]).toContain((await next('review', { order: 'uncertain', policy: 'strict' })).seq);
  await post('review', 'release', { seq: 2 });
  expect((await post('review', 'next', { policy: 'none' })).status).toBe(404);
});

test('a verdict is taken back, and its row is before who gave it again', async () => {
  const { seq } = await next('review', { order: 'random' });
  await post('review', 'verdicts', { seq, verdict: 'harmful' });
  const { body } = await post('review', 'undo', {});
  expect(body).toMatchObject({ undone: { seq, verdict: 'harmful' }, row: { seq } });
  expect((await next('review')).seq).toBe(seq);
  await post('review', 'release', { seq });
  const nothing = await post('admin', 'undo', {});
  expect(nothing.body).toEqual({ undone: null, row: null });
});

test('verdicts come to agreement, precision and recall, and to labelled lines', async () => {
  // Texts from 6 on are harmful; the second reviewer disagrees on text 3.
  for (let i = 0; i < SIZE - 1; i++) {
    const { seq } = await next('review');
    await post('review', 'verdicts', { seq, verdict: seq > 6 ? 'harmful' : 'fine' });
  }
  expect((await post('review', 'next', {})).body).toEqual({ row: null });
  for (let i = 0; i < SIZE - 1; i++) {
    const { seq } = await next(other, { second: true });
    await post(other, 'verdicts', { seq, verdict: seq > 6 || seq === 4 ? 'harmful' : 'fine' });
  }
  const { body } = await bed.ask<ReviewSummary>('read', { url: `/api/reviews/summary?run=${run}` });
  expect(body.judged).toBe(SIZE);
  // Two keys with the same name are told apart.
  expect(body.reviewers.map(({ reviewer }) => reviewer)).toEqual([
    expect.stringMatching(/^the review \(tcs_/),
    expect.stringMatching(/^the review \(tcs_/),
  ]);
  expect(body.agreement).toMatchObject({ pairs: 9, agreed: 8 });
  expect(body.agreement.kappa).toBeGreaterThan(0.7);
  // Text 8 was judged fine once; text 3 is disputed and counts as 0.5: 3.5 of 10 are harmful.
  const at = body.thresholds.find(({ threshold }) => threshold === 0.5);
  expect(at?.flagged).toBe(5);
  expect(at?.precision).toEqual({ value: 0.6, low: 0.6, high: 0.6 });
  expect(at?.recall?.value).toBeCloseTo(3 / 3.5, 10);

  const { text } = await bed.ask('review', { url: `/api/reviews/export?run=${run}` });
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; label: unknown });
  expect(lines).toHaveLength(SIZE);
  expect(lines[3]).toMatchObject({ id: 'row-4', text: 'text 3', label: null, harmful: 1, fine: 1 });
  expect(lines[9]).toMatchObject({ id: 'row-10', label: 1, harmful: 2, fine: 0 });
  const log = await bed.ask('admin', { url: `/api/audit?run=${run}&action=review.verdict&limit=500` });
  expect((log.body as { data: unknown[] }).data).toHaveLength(2 * SIZE);
});
