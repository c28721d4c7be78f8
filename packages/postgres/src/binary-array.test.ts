import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boolArray, byteaArray, float4Array, int4Array, int8Array, textArray } from './binary-array.js';
import { TestDatabase } from './testing/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

/** What Postgres makes of an array. */
async function echo(type: string, array: Buffer): Promise<unknown> {
  const { rows } = await database.pool.query<{ value: unknown }>(
    `select array(select each from unnest($1::${type}[]) as each) as value`,
    [array],
  );
  return rows[0]?.value;
}

const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[]> => fc.array(fc.option(value));
const RUNS = { numRuns: 30 };

test('bytes', async () => {
  const bytes = fc.uint8Array({ maxLength: 100 }).map((each) => Buffer.from(each));
  await fc.assert(
    fc.asyncProperty(nullable(bytes), async (values) => {
      expect(await echo('bytea', byteaArray(values))).toEqual(values);
    }),
    RUNS,
  );
});

test('texts of any characters but U+0000', async () => {
  const text = fc.string({ unit: 'binary' }).map((each) => each.replaceAll('\0', ''));
  await fc.assert(
    fc.asyncProperty(nullable(text), async (values) => {
      expect(await echo('text', textArray(values))).toEqual(values);
    }),
    RUNS,
  );
  await expect(echo('text', textArray(['a\0b']))).rejects.toMatchObject({ code: '22021' });
});

test('a lone surrogate is what it is in every string for Postgres', async () => {
  const lone = 'a\ud800b';
  const { rows } = await database.pool.query<{ value: string }>('select $1::text as value', [lone]);
  expect(await echo('text', textArray([lone]))).toEqual([rows[0]?.value]);
});

test('numbers and truth', async () => {
  const int4 = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
  const int8 = fc.array(fc.maxSafeInteger());
  const float4 = nullable(fc.float({ noNaN: true, noDefaultInfinity: true }));
  await fc.assert(
    fc.asyncProperty(int4, int8, float4, fc.array(fc.boolean()), async (ints, longs, floats, flags) => {
      expect(await echo('int4', int4Array(ints))).toEqual(ints);
      // Postgres gives an int8 array as texts: a number may not hold it.
      expect(await echo('int8', int8Array(longs))).toEqual(longs.map(String));
      // It comes back as the shortest text that no other float4 has.
      const back = (await echo('float4', float4Array(floats))) as (number | null)[];
      expect(back.map((value) => value && Math.fround(value))).toEqual(floats);
      expect(await echo('bool', boolArray(flags))).toEqual(flags);
    }),
    RUNS,
  );
});
