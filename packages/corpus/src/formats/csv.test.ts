import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CorpusRow } from '../rows/row.js';
import { type ReadCorpusOptions, readCorpus } from '../sources/read-corpus.js';
import { outcome, readRows } from '../testing/read-rows.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-csv-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function read(
  content: string | Buffer,
  options: ReadCorpusOptions = {},
  name = 'rows.csv',
): Promise<CorpusRow[]> {
  const file = join(dir, name);
  await writeFile(file, content);
  return readRows(file, options);
}

describe('rows', () => {
  test('take their fields from the header, whatever the order, the quotes and the line ends', async () => {
    const rows = await read(
      '\ufeffid,text\r\n1,plain\r\n"2","with ""quotes"",\r\nand lines"\r\n3,5" disk\r\n',
    );
    expect(rows.map(outcome)).toEqual([
      ['1', 2, { text: 'plain' }],
      ['2', 3, { text: 'with "quotes",\r\nand lines' }],
      ['3', 5, { text: '5" disk' }],
    ]);
  });

  test('an empty cell is absent, a quoted empty one is an empty text', async () => {
    const rows = await read('id,prompt,response\n1,a,\n,"",b\n3,,\n');
    expect(rows.map(outcome)).toEqual([
      ['1', 2, { prompt: 'a' }],
      ['line:3', 3, { prompt: '', response: 'b' }],
      ['3', 4, expect.stringContaining('no text to score')],
    ]);
  });

  test('that are faulty are rejects with their line, and cost no other', async () => {
    const bytes = Buffer.concat([
      Buffer.from('id,text\n1,a\n2,b,c\n3\n"4"x,d\n5,'),
      Buffer.from([0xff]),
      Buffer.from('\n\n6,e\n7,"open\n8,f\n'),
    ]);
    expect((await read(bytes)).map(outcome)).toEqual([
      ['1', 2, { text: 'a' }],
      ['line:3', 3, 'The record has 3 fields, and the header 2.'],
      ['line:4', 4, 'The record has 1 field, and the header 2.'],
      [
        'line:5',
        5,
        'The quotes of the record cannot be read: a closing quote is not at the end of its field.',
      ],
      ['line:6', 6, 'The record is not UTF-8: byte 3 of it fits no character.'],
      ['6', 8, { text: 'e' }],
      ['7', 9, { text: '"open' }],
      ['8', 10, { text: 'f' }],
    ]);
  });

  test('longer than the limit are rejects', async () => {
    const rows = await read(`id,text\n1,${'x'.repeat(100)}\n2,b\n`, { maxLineBytes: 20 });
    expect(rows.map(outcome)).toEqual([
      ['line:2', 2, 'The record is 102 bytes long, more than the limit of 20.'],
      ['2', 3, { text: 'b' }],
    ]);
  });

  test('messages are JSON in a cell, in its own spelling', async () => {
    const messages = '[{"role":"user","content":"1.0", "n": 1.0}]';
    const content = stringify([
      ['id', 'messages', 'tools'],
      ['1', messages, '[]'],
      ['2', '[{]', ''],
    ]);
    expect((await read(content)).map(outcome)).toEqual([
      ['1', 2, { messages, tools: '[]' }],
      ['2', 3, expect.stringContaining('The field "messages" is not JSON at character 3')],
    ]);
  });

  test('keep further fields', async () => {
    const [row] = await read('id,text,label\n1,a,harmful\n', { keep: ['label', 'group'] });
    expect(row?.kept).toEqual({ label: 'harmful' });
  });

  test('are counted by lines when they have no id', async () => {
    expect((await read('text\na\n"b\nc"\nd\n')).map(({ key }) => key)).toEqual([
      'line:2',
      'line:3',
      'line:5',
    ]);
  });
});

test.each([
  ['rows.tsv', 'id\ttext\n1\ta, b\n', {}],
  ['rows.csv', 'id;text\n1;a, b\n', { delimiter: ';' }],
  ['rows.txt', 'id,text\n1,"a, b"\n', { format: 'csv' }],
] as const)('%s is read with its delimiter', async (name, content, options) => {
  expect((await read(content, options, name)).map(outcome)).toEqual([['1', 2, { text: 'a, b' }]]);
});

test('gzip, also from stdin', async () => {
  const packed = gzipSync('id,text\n1,a\n');
  expect((await read(packed, {}, 'rows.csv.gz')).map(outcome)).toEqual([['1', 2, { text: 'a' }]]);
  const rows: CorpusRow[] = [];
  const stdin = Readable.from([packed]);
  for await (const chunk of readCorpus(['-'], { format: 'csv', stdin })) rows.push(...chunk);
  expect(rows.map(outcome)).toEqual([['1', 2, { text: 'a' }]]);
});

test('an empty file, and one with a header only, have no rows', async () => {
  expect(await read('')).toEqual([]);
  expect(await read('id,text\n')).toEqual([]);
});

test.each([
  ['id,text,text\n', 'it names "text" twice'],
  ['"id"x,text\n', 'a closing quote'],
])('a header that cannot be used is an error of the file: %j', async (content, message) => {
  await expect(read(`${content}1,a,b\n`)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(
      new RegExp(`^the header of ".*rows.csv" .line 1. cannot be used: .*${message}`),
    ),
  });
});

test('whatever a writer of CSV writes is read back', async () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\r\n', '\t', ' ', "'", '=', 'é', '🙂'),
  });
  const row = fc.record({ prompt: cell, response: cell });
  const style = fc.record({ quoted: fc.boolean(), record_delimiter: fc.constantFrom('\n', '\r\n') });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1 }), style, async (given, options) => {
      // It leaves what is no line end of its own unquoted.
      const content = stringify(given, {
        header: true,
        quoted_empty: true,
        quoted_match: /[\r\n]/,
        ...options,
      });
      const rows = await read(content);
      expect(rows.map((one) => (one.kind === 'item' ? one.content : one.reason))).toEqual(given);
    }),
    { numRuns: 100 },
  );
});
