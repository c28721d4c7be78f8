import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { isUserError } from '@tocsin/core';
import fc from 'fast-check';
import { type ParquetWriteOptions, parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { outcome, readRows } from '../testing/read-rows.js';
import { decimalText } from './parquet-cell.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-parquet-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

type Columns = Omit<ParquetWriteOptions, 'writer'>;

const packed = (options: Columns): Buffer => Buffer.from(parquetWriteBuffer(options));

async function write(options: Columns | Buffer, name = 'rows.parquet'): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, Buffer.isBuffer(options) ? options : packed(options));
  return file;
}

const TWO: Columns = {
  columnData: [
    { name: 'id', data: ['a', 'b'], type: 'STRING' },
    { name: 'text', data: ['one', 'two'], type: 'STRING' },
  ],
};

describe('rows', () => {
  test('come group by group, in order, numbered through', async () => {
    const texts = Array.from({ length: 2_500 }, (_, i) => `text ${i}`);
    const file = await write({
      columnData: [{ name: 'text', data: texts, type: 'STRING' }],
      rowGroupSize: 1_100,
    });
    const rows = await readRows(file);
    expect(rows.map((row) => (row.kind === 'item' && 'text' in row.content ? row.content.text : ''))).toEqual(
      texts,
    );
    expect(rows.map(({ key }) => key)).toEqual(texts.map((_, i) => `row:${i + 1}`));
  });

  test('without a text are rejects that name the columns', async () => {
    const file = await write({ columnData: [{ name: 'body', data: ['x', 'y'], type: 'STRING' }] });
    const reasons = (await readRows(file)).map((row) => (row.kind === 'reject' ? row.reason : ''));
    expect(reasons).toHaveLength(2);
    expect(reasons[1]).toContain('it has "body"');
  });

  test('nulls are absent', async () => {
    const file = await write({
      columnData: [
        { name: 'prompt', data: ['p', null, null], type: 'STRING' },
        { name: 'response', data: [null, 'r', null], type: 'STRING' },
      ],
    });
    expect((await readRows(file)).map(outcome)).toEqual([
      ['row:1', 1, { prompt: 'p' }],
      ['row:2', 2, { response: 'r' }],
      ['row:3', 3, expect.stringContaining('no text to score')],
    ]);
  });

  test.each([
    ['INT64', [9007199254740993n, 2n], ['9007199254740993', '2']],
    ['INT32', [-1, 2], ['-1', '2']],
    ['DOUBLE', [0.5, 2], ['0.5', '2']],
    ['BOOLEAN', [true, false], ['true', 'false']],
    ['STRING', ['a', null], ['a', 'row:2']],
    ['UUID', ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'], undefined],
    ['TIMESTAMP', [new Date(0), new Date(1_000)], ['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:01.000Z']],
  ] as const)('an id may be %s', async (type, data, keys) => {
    const file = await write({
      columnData: [
        { name: 'id', data: [...data], type },
        { name: 'text', data: ['x', 'y'], type: 'STRING' },
      ],
    });
    expect((await readRows(file)).map(({ key }) => key)).toEqual(keys ?? [...data]);
  });

  test('messages may be JSON text or nested', async () => {
    const messages = [{ role: 'user', content: 'hello', tool: null }];
    const file = await write({
      columnData: [
        { name: 'id', data: ['text'], type: 'STRING' },
        { name: 'messages', data: ['[{"content": 1.0}]'], type: 'STRING' },
      ],
    });
    expect((await readRows(file)).map(outcome)).toEqual([['text', 1, { messages: '[{"content": 1.0}]' }]]);
    const nested = await write(
      {
        schema: [
          { name: 'root', num_children: 1 },
          { name: 'messages', num_children: 1, repetition_type: 'OPTIONAL', converted_type: 'LIST' },
          { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
          { name: 'element', num_children: 3, repetition_type: 'OPTIONAL' },
          ...['role', 'content', 'tool'].map((name) => ({
            name,
            type: 'BYTE_ARRAY' as const,
            converted_type: 'UTF8' as const,
            repetition_type: 'OPTIONAL' as const,
          })),
        ],
        columnData: [{ name: 'messages', data: [messages, null] }],
      },
      'nested.parquet',
    );
    expect((await readRows(nested)).map(outcome)).toEqual([
      ['row:1', 1, { messages: '[{"role":"user","content":"hello"}]' }],
      ['row:2', 2, expect.stringContaining('no text to score')],
    ]);
  });

  test('a text that is not UTF-8 is a reject', async () => {
    const file = await write({
      schema: [
        { name: 'root', num_children: 1 },
        { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
      ],
      columnData: [{ name: 'text', data: [Buffer.from('fine'), Buffer.from([0xff, 0xfe])] }],
    });
    expect((await readRows(file)).map(outcome)).toEqual([
      ['row:1', 1, { text: 'fine' }],
      ['row:2', 2, 'The field "text" is not UTF-8.'],
    ]);
  });
});

test('from stdin and in gzip it is read as well, and the copy is gone after that', async () => {
  const file = await write(gzipSync(packed(TWO)), 'rows.parquet.gz');
  const expected = [
    ['a', 1, { text: 'one' }],
    ['b', 2, { text: 'two' }],
  ];
  expect((await readRows(file)).map(outcome)).toEqual(expected);
  const stdin = Readable.from([packed(TWO)]);
  expect((await readRows('-', { format: 'parquet', stdin })).map(outcome)).toEqual(expected);
});

test('onBytes counts up to the size of the file', async () => {
  const file = await write({ ...TWO, rowGroupSize: 1 });
  let bytes = 0;
  await readRows(file, {
    onBytes: (read) => {
      bytes = read;
    },
  });
  const { length } = await readFile(file);
  expect(bytes).toBeGreaterThan(length - 3);
  expect(bytes).toBeLessThanOrEqual(length);
});

describe('a file that cannot be read is named', () => {
  async function refusal(content: Buffer): Promise<string> {
    const file = await write(content, 'broken.parquet');
    try {
      await readRows(file);
    } catch (error) {
      if (isUserError(error)) return error.message;
      throw error;
    }
    throw new Error('the file was read');
  }

  test('when it is none', async () => {
    expect(await refusal(Buffer.from('{"text":"a"}\n'))).toMatch(
      /broken.parquet" is not a complete Parquet file/,
    );
    expect(await refusal(Buffer.alloc(0))).toMatch(/is not a complete Parquet file/);
  });

  test('when it is cut off', async () => {
    expect(await refusal(packed(TWO).subarray(0, 200))).toMatch(/is not a complete Parquet file/);
  });

  test('when it is encrypted', async () => {
    expect(await refusal(Buffer.concat([packed(TWO).subarray(0, -4), Buffer.from('PARE')]))).toMatch(
      /broken.parquet" is encrypted/,
    );
  });

  test('when its footer or a page is damaged', async () => {
    const footer = packed(TWO);
    footer.fill(0xff, footer.length - 40, footer.length - 8);
    expect(await refusal(footer)).toMatch(/the Parquet file ".*broken.parquet" cannot be read after row 0/);
    const page = packed(TWO);
    page.fill(0xff, 4, 40);
    expect(await refusal(page)).toMatch(/the Parquet file ".*broken.parquet" cannot be read after row 0/);
  });
});

test('whatever is written is read back', async () => {
  const text = fc.option(fc.string({ unit: 'grapheme' }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ prompt: text, response: text }), { minLength: 1 }),
      async (given) => {
        const file = await write({
          columnData: (['prompt', 'response'] as const).map((name) => ({
            name,
            data: given.map((row) => row[name]),
            type: 'STRING',
            nullable: true,
          })),
          rowGroupSize: 3,
        });
        const rows = await readRows(file);
        expect(rows.map((row) => (row.kind === 'item' ? row.content : {}))).toEqual(
          given.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('a decimal keeps every digit, however it is stored', () => {
  const bytes = Buffer.from('6b14e9f812f366c35'.padStart(32, '0'), 'hex');
  expect(decimalText(bytes, 2)).toBe('1234567890123456789.01');
  expect(decimalText(Buffer.from('fff9', 'hex'), 2)).toBe('-0.07');
  expect(decimalText(123456789012345671n, 0)).toBe('123456789012345671');
  expect(decimalText(-150, 2)).toBe('-1.50');
  expect(decimalText(undefined, 2)).toBeNull();
});
