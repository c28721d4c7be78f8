import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeParcel } from '../parcels/complete-parcel.js';
import { submitWindow } from '../parcels/submit-window.js';
import { hashOf, newRun, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { type ExportOptions, type ExportRow, exportRows } from './export-rows.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

async function all(
  runId: number,
  options: ExportOptions = {},
): Promise<{ rows: ExportRow[]; pages: number[] }> {
  const rows: ExportRow[] = [];
  const pages: number[] = [];
  for await (const page of exportRows(database.pool, runId, undefined, options)) {
    rows.push(...page);
    pages.push(page.length);
  }
  return { rows, pages };
}

test('25,000 rows come page by page in the order of the corpus', async () => {
  const run = await newRun(database.pool);
  const count = 25_000;
  await submitWindow(database.pool, windowOf(run, Array(count).fill('same')));
  // An update moves a row on the disk: the order must not come from where rows lie.
  await database.pool.query(`update items set truncated = true where run_id = $1 and seq % 2 = 0`, [
    run.runId,
  ]);
  const { rows, pages } = await all(run.runId);
  expect(pages).toEqual([5_000, 5_000, 5_000, 5_000, 5_000]);
  expect(rows.every((row, i) => row.seq === i + 1 && row.key === `row-${i + 1}`)).toBe(true);
  expect(rows.every((row) => row.truncated === (row.seq % 2 === 0))).toBe(true);
});

test('a row has its score, or the error of its content, or the reason of its reject', async () => {
  const run = await newRun(database.pool);
  const window = windowOf(run, ['tea', 'bread', 'tea']);
  window.items.push({ seq: 4, key: '4', content: null, truncated: false, reject: 'line 4 is no JSON' });
  const [id = 0] = (await submitWindow(database.pool, window)) ?? [];
  await completeParcel(database.pool, id, [
    { hash: hashOf('tea'), tokens: 3, score: 0.25, error: null },
    { hash: hashOf('bread'), tokens: 5, score: null, error: 'died' },
  ]);
  const nothing = { json: null, score: null, tokens: null, error: null, reject: null, truncated: false };
  expect((await all(run.runId)).rows).toEqual([
    { ...nothing, seq: 1, key: 'row-1', score: 0.25, tokens: 3 },
    { ...nothing, seq: 2, key: 'row-2', error: 'died', tokens: 5 },
    { ...nothing, seq: 3, key: 'row-3', score: 0.25, tokens: 3 },
    { ...nothing, seq: 4, key: '4', reject: 'line 4 is no JSON' },
  ]);
});

test('a run without rows has no page', async () => {
  const run = await newRun(database.pool);
  expect(await all(run.runId)).toEqual({ rows: [], pages: [] });
});

test('an abort ends it with its reason', async () => {
  const run = await newRun(database.pool);
  await submitWindow(database.pool, windowOf(run, ['a']));
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(exportRows(database.pool, run.runId, signal).next()).rejects.toThrow('enough');
});

test('pages with texts are cut by the bytes of these, and a row without a text has its place', async () => {
  const run = await newRun(database.pool);
  const window = windowOf(run, Array(300).fill('same'));
  for (const item of window.items) {
    const letters = item.seq === 100 ? 3_000_000 : 20_000;
    if (item.seq !== 50) item.json = JSON.stringify({ text: 'x'.repeat(letters) });
  }
  await submitWindow(database.pool, window);
  const { rows, pages } = await all(run.runId, { texts: true });
  expect(rows.map(({ seq }) => seq)).toEqual(window.items.map(({ seq }) => seq));
  expect(rows.map(({ json }) => json)).toEqual(window.items.map(({ json }) => json ?? null));
  // 52 texts of 20 kB are a MiB; the long one stands alone.
  expect(Math.max(...pages)).toBeLessThanOrEqual(53);
  expect(pages).toContain(1);
});
