import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitWindow } from '../parcels/submit-window.js';
import { rankRun } from '../ranking/ranking.js';
import { newRun, scoreParcel, storeScoredRun, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { findItem, type ItemCursor, type ItemRow, isCut, type ScoredRun } from './items.js';
import { type ItemsQuery, pageItems } from './page-items.js';
import { indexTexts } from './search-texts.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

async function everyPage(run: ScoredRun, query: ItemsQuery): Promise<ItemRow[]> {
  const all: ItemRow[] = [];
  for (let after: ItemCursor | undefined; ; ) {
    const { rows, next } = await pageItems(database.pool, run, { ...query, after });
    expect(rows.length).toBeLessThanOrEqual(query.limit);
    all.push(...rows);
    if (next === null) return all;
    after = next;
  }
}

const seqsOf = (rows: ItemRow[]): number[] => rows.map(({ seq }) => seq);

/** Eighths are exact in the database, and make ties. */
const row = fc.record({
  eighths: fc.nat(8),
  words: fc.array(fc.constantFrom('sea', 'bird', 'boat', 'tea'), { maxLength: 3 }),
});
const ORDERS = {
  seq: () => 0,
  score_desc: (a: Given, b: Given) => b.score - a.score || a.seq - b.seq,
  score_asc: (a: Given, b: Given) => a.score - b.score || b.seq - a.seq,
};
interface Given {
  seq: number;
  score: number;
  words: string[];
}

test('each row that is asked for comes once and in its order, however pages are cut, searched in an index or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 40 }),
      fc.constantFrom('seq' as const, 'score_desc' as const, 'score_asc' as const),
      fc.option(fc.tuple(fc.nat(8), fc.nat(8)), { nil: undefined }),
      fc.constantFrom(undefined, 'sea', 'sea bird', 'sea or bird', '-tea', '"boat sea"', 'none'),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      async (rows, order, range, search, limit, indexed) => {
        const { pool } = database;
        const given = rows.map(({ eighths, words }, i): Given => ({ seq: i + 1, score: eighths / 8, words }));
        const run = await storeScoredRun(
          pool,
          given.map(({ score }) => score),
          { texts: given.map(({ words }) => words.join(' ')) },
        );
        await rankRun(pool, run.id);
        if (indexed) await indexTexts(pool, run.id);
        const [min, max] = range === undefined ? [] : range.map((eighths) => eighths / 8);
        const expected = given
          .filter(({ score }) => score >= (min ?? 0) && score <= (max ?? 1))
          .filter(({ words }) => matches(words, search))
          .sort(ORDERS[order]);
        const found = await everyPage(run, { order, limit, min, max, search });
        expect(found.map(({ seq, score }) => ({ seq, score }))).toEqual(
          expected.map(({ seq, score }) => ({ seq, score })),
        );
      },
    ),
    { numRuns: 40 },
  );
});

function matches(words: string[], search: string | undefined): boolean {
  switch (search) {
    case undefined:
      return true;
    case 'sea bird':
      return words.includes('sea') && words.includes('bird');
    case 'sea or bird':
      return words.includes('sea') || words.includes('bird');
    case '-tea':
      return !words.includes('tea');
    case '"boat sea"':
      return words.some((word, i) => word === 'boat' && words[i + 1] === 'sea');
    default:
      return words.includes(search);
  }
}

test('rows without a score are in the order of the corpus, with what became of them', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const window = windowOf(run, ['a', 'bb', 'ccc', 'dddd']);
  window.items = window.items.map((item, i) =>
    i === 3 ? { ...item, content: null, reject: 'no text' } : { ...item, json: `{"text":"row ${i}"}` },
  );
  const [parcel = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, parcel, { a: 0.5, bb: 'died' });
  await rankRun(pool, run.runId);
  const scored = { id: run.runId, guardId: run.guardId };
  expect(await pageItems(pool, scored, { order: 'seq', limit: 9, texts: true })).toEqual({
    rows: [
      {
        seq: 1,
        key: 'row-1',
        score: 0.5,
        error: null,
        reject: null,
        truncated: false,
        tokens: 1,
        json: '{"text":"row 0"}',
        jsonBytes: 16,
      },
      expect.objectContaining({ seq: 2, score: null, error: 'died' }),
      expect.objectContaining({ seq: 3, score: null, error: null, json: '{"text":"row 2"}' }),
      expect.objectContaining({ seq: 4, score: null, reject: 'no text', json: null }),
    ],
    next: null,
  });
  expect(seqsOf(await everyPage(scored, { order: 'seq', limit: 9, min: 0 }))).toEqual([1]);
  expect(seqsOf(await everyPage(scored, { order: 'score_asc', limit: 9 }))).toEqual([1]);
  expect(seqsOf(await everyPage(scored, { order: 'seq', limit: 9, search: 'row' }))).toEqual([1, 2, 3]);
  expect(await findItem(pool, scored, 1)).toMatchObject({ key: 'row-1', json: '{"text":"row 0"}' });
  expect(await findItem(pool, scored, 5)).toBeUndefined();
});

test('a search is within its run, takes no names of fields for words, and no query to pieces', async () => {
  const { pool } = database;
  const texts = ['a "quoted" word\nand wörter', 'text', `nul\0here`, 'lone \ud800 surrogate', 'prompt: none'];
  const run = await storeScoredRun(pool, [0.1, 0.2, 0.3, 0.4, 0.5], { texts });
  const other = await storeScoredRun(pool, [0.9], { texts: ['quoted too'] });
  for (const indexed of [false, true]) {
    if (indexed) await Promise.all([indexTexts(pool, run.id), indexTexts(pool, other.id)]);
    const find = async (search: string) => seqsOf(await everyPage(run, { order: 'seq', limit: 2, search }));
    expect(await find('quoted')).toEqual([1]);
    expect(await find('WÖRTER')).toEqual([1]);
    expect(await find('text')).toEqual([2]);
    expect(await find('here')).toEqual([3]);
    expect(await find('surrogate')).toEqual([4]);
    expect(await find('-none')).toEqual([1, 2, 3, 4]);
    for (const search of ['', '   ', '!!', '&|!()', `'`, '\\', ':*', `') or true --`, '=run 7']) {
      expect(await find(search)).toEqual([]);
    }
  }
});

test('a word that is in many rows is found by going through them, in pages that end in time', async () => {
  const { pool } = database;
  const rows = 24_000;
  const texts = Array.from({ length: rows }, (_, i) => (i < 5_500 ? 'common' : 'rare'));
  // Those that match have the lowest scores.
  const run = await storeScoredRun(
    pool,
    texts.map((_, i) => i / rows),
    { texts },
  );
  await rankRun(pool, run.id);
  await indexTexts(pool, run.id);
  const query = { order: 'score_desc' as const, limit: 2_000, search: 'common' };
  const first = await pageItems(pool, run, query);
  expect(first.rows.length).toBeLessThan(2_000);
  expect(first.next).not.toBeNull();
  expect(seqsOf(await everyPage(run, query))).toEqual(Array.from({ length: 5_500 }, (_, i) => 5_500 - i));
});

test('of long texts a list has the beginnings, and a search reads as many as fit into memory, whole pages of them', async () => {
  const { pool } = database;
  const words = Array.from(
    { length: 80 },
    (_, i) => `${i % 40 === 39 ? 'needle' : 'hay'} ${'x'.repeat(900_000)}`,
  );
  const run = await storeScoredRun(
    pool,
    words.map((_, i) => i / 160),
    { retain: 'all', texts: words },
  );
  await rankRun(pool, run.id);
  const listed = await pageItems(pool, run, { order: 'seq', limit: 200, texts: true });
  expect(listed.rows).toHaveLength(80);
  for (const { json, jsonBytes } of listed.rows) {
    expect(json).toHaveLength(16_000);
    expect(jsonBytes).toBeGreaterThan(900_000);
  }
  const first = await findItem(pool, run, 1);
  expect(first !== undefined && isCut(first)).toBe(false);
  const unindexed = { order: 'seq', limit: 200, search: 'needle' } as const;
  // 80 texts of which 400,000 characters each are read are more than one page looks at.
  const { rows, next } = await pageItems(pool, run, unindexed);
  expect(next).not.toBeNull();
  expect(rows.length).toBeLessThan(2);
  expect(seqsOf(await everyPage(run, unindexed))).toEqual([40, 80]);
  await indexTexts(pool, run.id);
  expect(seqsOf(await everyPage(run, unindexed))).toEqual([40, 80]);
});
