import { afterAll, beforeAll, expect, test } from 'vitest';
import { listRuns, problemRows } from './list-runs.js';
import { submitWindow } from './submit-window.js';
import { TestDatabase } from './testing/index.js';
import { anotherRun, newRun } from './testing/test-guard.js';
import { parcelOf, scoreParcel, windowOf } from './testing/windows.js';
import { waitingGuards } from './waiting-guards.js';

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
