import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitWindow } from '../parcels/submit-window.js';
import { waitingGuards } from '../parcels/waiting-guards.js';
import { TestDatabase } from '../testing/index.js';
import { watchedPool } from '../testing/plan-work.js';
import { anotherRun, newRun } from '../testing/test-guard.js';
import { parcelOf, scoreParcel, windowOf } from '../testing/windows.js';
import { finishRun } from './finish-run.js';
import { getRun, listRuns } from './list-runs.js';
import { problemReasons, problemRows } from './problem-rows.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('runs come newest first, and their rows are scored, failed, rejected or left', async () => {
  const { pool } = database;
  const run = await newRun(pool, { threshold: 0.5 });
  const words = ['a', 'bb', 'a', 'ccc', 'dddd'];
  const window = windowOf(run, words, {
    parcels: [parcelOf('a', 'bb', 'ccc'), parcelOf('dddd')],
    counts: { fresh: 4, known: 0, duplicates: 1, rejected: 1 },
  });
  window.items.push({ seq: 6, key: 'bad', content: null, truncated: false, reject: 'line 6 is no JSON' });
  const [first = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, first, { a: 0.5, bb: 0.25, ccc: 'died' });
  const empty = await anotherRun(pool, run.guardId);

  expect(await listRuns(pool, { limit: 10 })).toMatchObject([
    { id: empty.runId, name: 'again.jsonl', rows: 0, scored: 0, left: 0, flagged: null },
    {
      id: run.runId,
      name: 'corpus.jsonl',
      guard: 'test',
      state: 'submitting',
      rows: 6,
      fresh: 4,
      duplicates: 1,
      rejected: 1,
      scored: 3,
      failed: 1,
      left: 1,
      flagged: 2,
      threshold: 0.5,
      retain: 'flagged',
    },
  ]);
  expect(await listRuns(pool, { limit: 1 })).toHaveLength(1);
  expect(await problemRows(pool, run.runId, 10)).toEqual([
    { seq: 4, key: 'row-4', unreadable: false, reason: 'died' },
    { seq: 6, key: 'bad', unreadable: true, reason: 'line 6 is no JSON' },
  ]);
  expect(await problemRows(pool, run.runId, 1)).toHaveLength(1);
  expect(await problemRows(pool, run.runId, 10, 4)).toMatchObject([{ seq: 6 }]);
  expect(await waitingGuards(pool)).toMatchObject([{ guardId: run.guardId, ref: 'test', parcels: 1 }]);
});

test('a run that is over is counted when it ends, and never again', async () => {
  const { pool } = database;
  const run = await newRun(pool, { threshold: 0.5, retain: 'all' });
  const words = Array.from({ length: 3_000 }, (_, i) => `word ${i}`);
  const [parcel = 0] = (await submitWindow(pool, windowOf(run, words))) ?? [];
  await scoreParcel(pool, parcel, Object.fromEntries(words.map((word, i) => [word, i / 3_000])));
  await finishRun(pool, run.runId);
  const watched = watchedPool(database.url);
  try {
    const [listed] = await listRuns(watched.pool, { limit: 1 });
    expect(listed).toMatchObject({ id: run.runId, state: 'done', scored: 3_000, left: 0, flagged: 1_500 });
    expect(await getRun(watched.pool, run.runId)).toEqual(listed);
  } finally {
    await watched.pool.end();
  }
  const rows = [...watched.work.values()].reduce((sum, work) => sum + work, 0);
  // Of the one chunk of the ranking that the threshold falls into.
  expect(rows).toBeGreaterThan(0);
  expect(rows).toBeLessThan(3_000);
});

test('rows without a score are grouped by what is wrong with them, whatever their place and numbers', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const window = windowOf(run, ['a', 'bb', 'ccc']);
  const reasons = [
    'a, line 3.csv, line 17: The record has 3 fields, and the header 4.',
    'a, line 3.csv, line 1,018: The record has 1,005 fields, and the header 4.',
    'a, line 3.csv, line 19: The field "text" is a number; a string was expected.',
    'a, line 3.csv, line 20: The record has 2 fields, and the header 4.',
  ];
  window.items.push(
    ...reasons.map((reject, i) => ({ seq: 4 + i, key: `${4 + i}`, content: null, truncated: false, reject })),
  );
  const [parcel = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, parcel, { a: 'died after 3 s', bb: 'died after 12.5 s', ccc: 0.5 });
  expect(await problemReasons(pool, run.runId, 5)).toEqual([
    { rows: 3, first: { seq: 4, key: '4', unreadable: true, reason: reasons[0] } },
    { rows: 2, first: { seq: 1, key: 'row-1', unreadable: false, reason: 'died after 3 s' } },
    { rows: 1, first: { seq: 6, key: '6', unreadable: true, reason: reasons[2] } },
  ]);
  expect(await problemReasons(pool, run.runId, 1)).toHaveLength(1);
});
