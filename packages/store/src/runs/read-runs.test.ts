import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createKey } from '../access/keys.js';
import { submitWindow } from '../parcels/submit-window.js';
import { waitingGuards } from '../parcels/waiting-parcels.js';
import { rankRun } from '../ranking/ranking.js';
import { anotherRun, newRun, parcelOf, scoreParcel, storeScoredRun, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { watchedPool } from '../testing/plan-work.js';
import { cancelRun, finishRun } from './finish-run.js';
import { findRun, getRun, listRuns, pageRuns, problemReasons, problemRows } from './read-runs.js';
import { createRun } from './runs.js';

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

test('runs come the newest first, each once, by state, name and owner', async () => {
  const own = await TestDatabase.migrated();
  onTestFinished(() => own.close());
  const { pool } = own;
  const { row: key } = await createKey(pool, { name: 'bot', role: 'submit', createdBy: 'local' });
  const { guardId } = await newRun(pool);
  const ids: number[] = [];
  for (let n = 0; n < 7; n++) {
    const owned = n % 2 === 0 ? { ownerKey: key.id } : {};
    ids.unshift(await createRun(pool, guardId, n < 3 ? `Night_${n}%.jsonl` : 'day.jsonl', owned));
  }
  await cancelRun(pool, ids[0] ?? 0);

  const found: number[] = [];
  for (let before: number | undefined; ; ) {
    const page = await pageRuns(pool, { limit: 3, before });
    found.push(...page.map(({ id }) => id));
    before = page.at(-1)?.id;
    if (before === undefined) break;
  }
  expect(found.slice(0, 7)).toEqual(ids);
  expect(new Set(found).size).toBe(found.length);

  const of = async (query: object) => (await pageRuns(pool, { limit: 9, ...query })).map(({ id }) => id);
  expect(await of({ states: ['cancelled', 'done'] })).toEqual([ids[0]]);
  expect(await of({ name: 'night_' })).toEqual(ids.slice(4));
  expect(await of({ name: '%.' })).toEqual(ids.slice(4));
  expect(await of({ ownerKey: key.id, name: 'DAY' })).toEqual([ids[0], ids[2]]);
  expect(await findRun(pool, ids[0] ?? 0)).toMatchObject({
    ownerKey: key.id,
    guardId,
    guard: 'test',
    countedAt: null,
    final: false,
    scored: 0,
    flagged: null,
  });
  expect(await findRun(pool, 4_711)).toBeUndefined();
});

test('a run says what was counted when it was ranked', async () => {
  const { pool } = database;
  const run = await storeScoredRun(pool, [0.1, 0.5, 0.7], { threshold: 0.5 });
  expect(run).toMatchObject({ countedAt: null, scored: 0, left: 3 });
  const { asOf } = await rankRun(pool, run.id);
  expect(await findRun(pool, run.id)).toMatchObject({
    countedAt: asOf,
    final: true,
    scored: 3,
    failed: 0,
    left: 0,
    flagged: 2,
  });
  const without = await storeScoredRun(pool, [0.1]);
  await rankRun(pool, without.id);
  expect(await findRun(pool, without.id)).toMatchObject({ scored: 1, flagged: null });
});
