import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReadCorpusOptions } from '../sources/read-corpus.js';
import { readRows } from '../testing/read-rows.js';
import { type CorpusRow, placeOf, REJECT_KINDS, type RejectKind, rejected, rejection } from './row.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-reject-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function read(name: string, content: string | Buffer, options: ReadCorpusOptions = {}) {
  const file = join(dir, name);
  await writeFile(file, content);
  return readRows(file, options);
}

const kindsOf = (rows: CorpusRow[]): (RejectKind | undefined)[] =>
  rows.map((row) => (row.kind === 'reject' ? row.rejectKind : undefined));

test('each row of JSONL says why it cannot be scored in a word', async () => {
  const lines: [line: string, kind: RejectKind | undefined][] = [
    ['{"text":"fine"}', undefined],
    ['nope', 'json'],
    ['{"text":"\u00ff"}', 'encoding'],
    ['{"text":"\\ud800"}', 'encoding'],
    [JSON.stringify({ text: 'x'.repeat(200) }), 'too_long'],
    ['[1]', 'type'],
    ['{"text":5}', 'type'],
    ['{"messages":{}}', 'type'],
    ['{"other":"x"}', 'missing'],
    ['{"text":"a","prompt":"b"}', 'ambiguous'],
    ['{"text":"a","messages":[]}', 'ambiguous'],
    ['{"text":"a","id":[]}', 'type'],
    ['{"text":"a","id":"\\u0000"}', 'encoding'],
  ];
  const bytes = Buffer.from(lines.map(([line]) => line).join('\n'), 'latin1');
  expect(kindsOf(await read('rows.jsonl', bytes, { maxLineBytes: 150 }))).toEqual(
    lines.map(([, kind]) => kind),
  );
});

test('so do rows of CSV, chats and requests', async () => {
  const csv = 'text,messages\nfine,\n"open"x,\na,b,c\n,nope\n,\n';
  expect(kindsOf(await read('rows.csv', csv))).toEqual([undefined, 'csv', 'csv', 'json', 'missing']);
  const chats = ['{"messages":5}', '{}', '{"messages":[]}'].join('\n');
  const asChat = { shape: 'openai-chat' } as const;
  expect(kindsOf(await read('chats.jsonl', chats, asChat))).toEqual(['type', 'missing', 'missing']);
  const requests = ['{}', '{"custom_id":"a","url":"/v1/moderations","body":{"input":[5]}}', 'nope'].join(
    '\n',
  );
  const asRequest = { shape: 'openai-batch' } as const;
  expect(kindsOf(await read('batch.jsonl', requests, asRequest))).toEqual(['request', 'request', 'json']);
});

test('a row of Parquet stands in a row, one of JSONL in a line', async () => {
  const parquet = parquetWriteBuffer({ columnData: [{ name: 'text', data: [null, 'b'], type: 'STRING' }] });
  const [first, second] = await read('rows.parquet', Buffer.from(parquet));
  expect([first, second].map((row) => row && placeOf(row))).toEqual([
    `${dir}/rows.parquet, row 1`,
    `${dir}/rows.parquet, row 2`,
  ]);
  expect(second && placeOf(rejected(second, rejection('guard', 'No.')))).toBe(`${dir}/rows.parquet, row 2`);
  const [line] = await read('rows.jsonl', '\n{"text":"a"}');
  expect(line && placeOf(line)).toBe(`${dir}/rows.jsonl, line 2`);
});

test('the words are fit to be labels of a metric', () => {
  for (const kind of REJECT_KINDS) expect(kind).toMatch(/^[a-z]+(_[a-z]+)*$/);
});
