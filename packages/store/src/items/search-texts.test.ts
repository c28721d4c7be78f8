import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDatabase } from '../testing/index.js';
import { countWords, parsableQuery } from './search-texts.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('minus signs beyond what Postgres has a stack for are no error', async () => {
  for (const typed of [
    `${'-'.repeat(33)}tea`,
    `${'- '.repeat(90)}tea`,
    `"${'-'.repeat(40)}" ${'-!'.repeat(60)}tea`,
  ])
    expect(await countWords(database.pool, parsableQuery(typed))).toBe(2);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom(...'-----  !&|()":*\'\\<>aé😀'), maxLength: 200 }),
      async (typed) => {
        expect(await countWords(database.pool, parsableQuery(typed))).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 500 },
  );
});

test('what people write means what it meant', () => {
  for (const typed of ['tea -milk', '"black tea" or -coffee', 'well-known', 'foo--bar', '-a -b -c', 'a & b'])
    expect(parsableQuery(typed)).toBe(typed);
  expect(parsableQuery('tea --milk')).toBe('tea -milk');
});

test('a query that Postgres cannot read is a mistake of who has typed it', async () => {
  await expect(countWords(database.pool, `${'-'.repeat(33)}tea`)).rejects.toThrow('cannot be searched for');
});
