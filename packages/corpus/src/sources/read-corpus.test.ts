import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CorpusRow } from '../rows/row.js';
import { readRows } from '../testing/read-rows.js';
import { ROWS_ZST } from '../testing/zstd-files.js';
import { readCorpus } from './read-corpus.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-corpus-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

const contents = (rows: CorpusRow[]): unknown[] =>
  rows.map((row) => [row.key, row.kind === 'item' ? row.content : row.kind]);

test('the same rows are the same corpus in every format', async () => {
  const text = fc.option(
    fc.string({ unit: fc.constantFrom('a', ' ', '"', ',', '\n', '\r', '\t', "'", 'é', '🙂') }),
  );
  const row = fc.record({ id: fc.uuid(), text, prompt: text, response: text });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1 }), async (given) => {
      const columns = ['id', 'text', 'prompt', 'response'] as const;
      const csv = { header: true, quoted_string: true, columns: [...columns] };
      const sources = [
        await file('a.jsonl', given.map((one) => JSON.stringify(one)).join('\n')),
        await file('a.csv', stringify(given, csv)),
        await file('a.tsv', stringify(given, { ...csv, delimiter: '\t' })),
        await file(
          'a.parquet',
          new Uint8Array(
            parquetWriteBuffer({
              columnData: columns.map((name) => ({
                name,
                data: given.map((one) => one[name]),
                type: 'STRING',
                nullable: true,
              })),
            }),
          ),
        ),
      ];
      const [jsonl, ...others] = await Promise.all(
        sources.map(async (source) => contents(await readRows([source]))),
      );
      for (const other of others) expect(other).toEqual(jsonl);
    }),
    { numRuns: 50 },
  );
});

test('sources of several formats are one corpus, numbered through', async () => {
  const sources = [
    await file('a.csv', 'text\none\n'),
    await file('b.jsonl', '{"text":"two"}\n'),
    await file('c.jsonl.zst', ROWS_ZST),
  ];
  const rows = await readRows(sources);
  expect(rows).toHaveLength(1_002);
  expect(rows.slice(0, 3).map(({ seq, key, file }) => [seq, key, file])).toEqual([
    [1, 'a.csv:line:2', sources[0]],
    [2, 'b.jsonl:line:1', sources[1]],
    [3, '1', sources[2]],
  ]);
});

test('a zstd file that ends too early gives its rows, then says where', async () => {
  const path = await file('a.jsonl.zst', ROWS_ZST.subarray(0, ROWS_ZST.length - 10));
  const rows: CorpusRow[] = [];
  const reading = (async () => {
    for await (const chunk of readCorpus([path])) rows.push(...chunk);
  })();
  await expect(reading).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(
      /^the zstd data of ".*a.jsonl.zst" is truncated at compressed byte [\d,]+, after line \d+: /,
    ),
  });
  expect(rows.length).toBeGreaterThan(400);
});

test('a file that is named .zst and is none is refused', async () => {
  await expect(readRows([await file('a.jsonl.zst', '{"text":"a"}\n')])).rejects.toMatchObject({
    message: expect.stringContaining('is named .zst but is not zstd data'),
  });
});
