import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelRun } from '../runs/finish-run.js';
import { findRun } from '../runs/read-runs.js';
import { anotherRun, hashOf, newRun, parcelOf, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { completeParcel } from './complete-parcel.js';
import { submitWindow, type WindowItem } from './submit-window.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const one = async <T>(sql: string, values: unknown[]): Promise<T[]> =>
  (await database.pool.query<T & object>(sql, values)).rows;

test('a window brings its items, its parcels and a claim for each content', async () => {
  const run = await newRun(database.pool);
  const window = windowOf(run, ['tea', 'bread', 'tea'], {
    parcels: [parcelOf('tea'), parcelOf('bread')],
    counts: { fresh: 2, known: 0, duplicates: 1, rejected: 0 },
  });
  window.items[1] = { ...(window.items[1] as WindowItem), truncated: true };
  window.items.push({ seq: 4, key: 'bad', content: null, truncated: false, reject: 'line 4 is no JSON' });
  const ids = await submitWindow(database.pool, window);

  expect(ids).toHaveLength(2);
  expect(
    await one('select id, state, contents, tokens from parcels where run_id = $1 order by id', [run.runId]),
  ).toEqual([
    { id: ids?.[0], state: 'waiting', contents: 1, tokens: 3 },
    { id: ids?.[1], state: 'waiting', contents: 1, tokens: 5 },
  ]);
  expect(
    await one('select seq, key, content, reject from items where run_id = $1 order by seq', [run.runId]),
  ).toEqual([
    { seq: 1, key: 'row-1', content: hashOf('tea'), reject: null },
    { seq: 2, key: 'row-2', content: hashOf('bread'), reject: null },
    { seq: 3, key: 'row-3', content: hashOf('tea'), reject: null },
    { seq: 4, key: 'bad', content: null, reject: 'line 4 is no JSON' },
  ]);
  expect(
    await one('select parcel_id, tokens, score, error from scores where guard_id = $1 order by tokens', [
      run.guardId,
    ]),
  ).toEqual([
    { parcel_id: ids?.[0], tokens: 3, score: null, error: null },
    { parcel_id: ids?.[1], tokens: 5, score: null, error: null },
  ]);
  expect(await findRun(database.pool, run.runId)).toMatchObject({
    rows: 4,
    truncated: 1,
    ...window.counts,
  });
});

test('a run that was cancelled meanwhile takes no window, and its submitter is told', async () => {
  const run = await newRun(database.pool);
  await submitWindow(database.pool, windowOf(run, ['early']));
  await cancelRun(database.pool, run.runId);
  const late = windowOf(run, ['late'], { afterRows: 1 });
  await expect(submitWindow(database.pool, late)).rejects.toThrow(`run ${run.runId} was cancelled`);
  expect(await findRun(database.pool, run.runId)).toMatchObject({ rows: 1 });
});

test('a window that is stored already is not stored again', async () => {
  const run = await newRun(database.pool);
  const first = windowOf(run, ['a', 'b']);
  const second = windowOf(run, ['c'], { afterRows: 2 });
  expect(await submitWindow(database.pool, first)).toHaveLength(1);
  // The commit's answer was lost: whoever asked tries again.
  expect(await submitWindow(database.pool, first)).toBeUndefined();
  expect(await submitWindow(database.pool, second)).toHaveLength(1);
  expect(await submitWindow(database.pool, first)).toBeUndefined();
  expect(await submitWindow(database.pool, second)).toBeUndefined();

  expect(await findRun(database.pool, run.runId)).toMatchObject({ rows: 3, fresh: 3 });
  expect(await one('select count(*) as count from items where run_id = $1', [run.runId])).toEqual([
    { count: 3 },
  ]);
  expect(await one('select count(*) as count from parcels where run_id = $1', [run.runId])).toEqual([
    { count: 2 },
  ]);
});

test('the same window sent twice at once is stored once', async () => {
  const run = await newRun(database.pool);
  const window = windowOf(run, ['a', 'b', 'c']);
  const answers = await Promise.all(
    [window, window, window].map((each) => submitWindow(database.pool, each)),
  );
  expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
  expect(await one('select count(*) as count from items where run_id = $1', [run.runId])).toEqual([
    { count: 3 },
  ]);
});

test('a window that cannot be stored leaves nothing behind', async () => {
  const run = await newRun(database.pool);
  const window = windowOf(run, ['a', 'b']);
  for (const item of window.items) item.seq = 1;
  await expect(submitWindow(database.pool, window)).rejects.toMatchObject({ code: '23505' });
  expect(await findRun(database.pool, run.runId)).toMatchObject({ rows: 0, fresh: 0 });
  expect(await one('select from scores where guard_id = $1', [run.guardId])).toEqual([]);
  expect(await one('select from parcels where run_id = $1', [run.runId])).toEqual([]);
});

describe('two producers with the same contents', () => {
  test('both are stored, and each content has one score', async () => {
    const run = await newRun(database.pool);
    const other = await anotherRun(database.pool, run.guardId);
    const words = Array.from({ length: 300 }, (_, i) => `word ${i}`);
    const [ids, otherIds] = await Promise.all([
      submitWindow(database.pool, windowOf(run, words)),
      submitWindow(database.pool, windowOf(other, words.toReversed())),
    ]);
    const parcels = [...(ids ?? []), ...(otherIds ?? [])];
    expect(parcels).toHaveLength(2);
    for (const id of parcels) {
      const outcomes = words.map((word, i) => ({
        hash: hashOf(word),
        tokens: word.length,
        score: i / 300,
        error: null,
      }));
      await completeParcel(database.pool, id, outcomes);
    }
    expect(
      await one('select count(*) as count, count(score) as scored from scores where guard_id = $1', [
        run.guardId,
      ]),
    ).toEqual([{ count: 300, scored: 300 }]);
  });

  test('never wait for each other, however their rows are ordered', async () => {
    const first = await newRun(database.pool);
    const runs = await Promise.all(Array.from({ length: 6 }, () => anotherRun(database.pool, first.guardId)));
    const words = Array.from({ length: 200 }, (_, i) => `common ${i}`);
    const rotated = (by: number): string[] => [...words.slice(by), ...words.slice(0, by)];
    // A deadlock would make Postgres refuse one of them.
    await Promise.all(runs.map((run, i) => submitWindow(database.pool, windowOf(run, rotated(i * 30)))));
    expect(await one('select count(*) as count from scores where guard_id = $1', [first.guardId])).toEqual([
      { count: 200 },
    ]);
  });
});

test('a content that ended in an error is claimed anew, one with a score is not', async () => {
  const run = await newRun(database.pool);
  const [id] = (await submitWindow(database.pool, windowOf(run, ['good', 'bad']))) ?? [];
  await completeParcel(database.pool, id ?? 0, [
    { hash: hashOf('good'), tokens: 4, score: 0.25, error: null },
    { hash: hashOf('bad'), tokens: 3, score: null, error: 'the engine process died' },
  ]);
  const later = await anotherRun(database.pool, run.guardId);
  const [laterId] = (await submitWindow(database.pool, windowOf(later, ['good', 'bad']))) ?? [];

  expect(
    await one('select content, parcel_id, score, error from scores where guard_id = $1 order by score', [
      run.guardId,
    ]),
  ).toEqual([
    { content: hashOf('good'), parcel_id: id, score: 0.25, error: null },
    { content: hashOf('bad'), parcel_id: laterId, score: null, error: null },
  ]);
});
