import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ScoreRow } from './score-format.js';
import { checkOutput, writerFor } from './score-writer.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-parquet-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function write(pages: ScoreRow[][]): Promise<string> {
  const path = join(dir, 'out.parquet');
  const writer = await writerFor(path);
  for (const page of pages) await writer.write(page);
  await writer.finish();
  return path;
}

async function read(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path) });
}

test('columns have their types, and are null where a row lacks them', async () => {
  const scored: ScoreRow = {
    key: 'a',
    score: 0.1,
    harmful: false,
    threshold: 0.5,
    tokens: 7,
    truncated: true,
  };
  const path = await write([[scored], [{ key: '=b', error: 'no text', unreadable: true }]]);
  const none = { score: null, harmful: null, threshold: null, tokens: null, truncated: null };
  expect(await read(path)).toEqual([
    { ...scored, error: null },
    { key: '=b', ...none, error: 'no text' },
  ]);
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  expect(schema.slice(1).map(({ name, type }) => `${name} ${type}`)).toEqual([
    'key BYTE_ARRAY',
    'score DOUBLE',
    'harmful BOOLEAN',
    'threshold DOUBLE',
    'tokens INT32',
    'truncated BOOLEAN',
    'error BYTE_ARRAY',
  ]);
});

test('many rows are several row groups, and the file has its name only when it is whole', async () => {
  const path = join(dir, 'out.parquet');
  const writer = await writerFor(path);
  for (let page = 0; page < 120; page += 1) {
    await writer.write(
      Array.from({ length: 1000 }, (_, i) => ({ key: `${page * 1000 + i}`, score: i / 1000 })),
    );
  }
  expect(await readdir(dir)).toEqual([`.out.parquet.${process.pid}.partial`]);
  await writer.finish();
  const file = await asyncBufferFromFile(path);
  const { row_groups: groups } = await parquetMetadataAsync(file);
  expect(groups.map((group) => Number(group.num_rows))).toEqual(Array.from({ length: 6 }, () => 20_000));
  const rows = await parquetReadObjects({ file, columns: ['key'] });
  expect(rows.every(({ key }, i) => key === String(i))).toBe(true);
});

test('without rows it is a table without rows', async () => {
  expect(await read(await write([]))).toEqual([]);
});

test('whatever is written is read back', async () => {
  const row = fc.oneof(
    fc.record({
      key: fc.string({ unit: 'grapheme' }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      harmful: fc.boolean(),
      threshold: fc.double({ min: 0, max: 1, noNaN: true }),
      tokens: fc.nat(),
      truncated: fc.boolean(),
    }),
    fc.record({ key: fc.string({ unit: 'grapheme' }), error: fc.string({ unit: 'grapheme' }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1 }), async (given: ScoreRow[]) => {
      const found = await read(await write([given]));
      const present = found.map((one) =>
        Object.fromEntries(Object.entries(one).filter(([, value]) => value !== null)),
      );
      expect(present).toEqual(given);
    }),
    { numRuns: 40 },
  );
});

test('gzip around it is refused', async () => {
  await writeFile(join(dir, 'x'), '');
  await expect(checkOutput(join(dir, 'out.parquet.gz'))).rejects.toMatchObject({
    name: 'UserError',
    hint: expect.stringContaining('.parquet'),
  });
});
