import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { TestDatabase } from '@tocsin/store/testing';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { openScoring, type Scoring } from '../setup/scoring.js';
import { parseLines, readScores, type ScoreLine, writeJsonl } from '../setup/tocsin.js';

const ROWS = [
  { id: 'post', text: 'What a lovely morning.', prompt: null, response: null },
  { id: 'exchange', text: null, prompt: 'How do I bake bread?', response: 'With flour, water and time.' },
  { id: '7', text: 'With, "quotes",\ttabs and\nlines', prompt: null, response: null },
  { id: '=1+1', text: 'a key that a spreadsheet would compute', prompt: null, response: null },
  { id: 'none', text: null, prompt: null, response: null },
];
const COLUMNS = ['id', 'text', 'prompt', 'response'] as const;
const SOME_REJECTED = 2;

let dir: string;
let database: TestDatabase;
let expected: ScoreLine[];

let scoring: Scoring;
const score: Scoring['score'] = (...args) => scoring.score(...args);

/** Scores without the fields that locate a row. */
const withoutPlace = (lines: ScoreLine[]): ScoreLine[] =>
  lines.map((line) =>
    line.error === undefined ? line : { ...line, error: line.error.replace(/^.*(line|row) \d+: /, '') },
  );

beforeAll(async () => {
  dir = scratchDir();
  scoring = await openScoring();
  await mkdir(join(dir, 'in'));
  const csv = { header: true, columns: [...COLUMNS] };
  const jsonl = await writeJsonl(join(dir, 'rows.jsonl'), ROWS);
  await writeFile(join(dir, 'rows.csv'), stringify(ROWS, csv));
  await writeFile(
    join(dir, 'rows.tsv'),
    stringify(ROWS, { ...csv, delimiter: '\t', record_delimiter: '\r\n', quoted_match: /\n/ }),
  );
  await writeFile(join(dir, 'rows.jsonl.zst'), storedZst(await readFile(jsonl)));
  const columnData = COLUMNS.map((name) => ({
    name,
    data: ROWS.map((row) => row[name]),
    type: 'STRING' as const,
    nullable: true,
  }));
  await writeFile(join(dir, 'rows.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
  database = await TestDatabase.empty();
  await database.outside.query(
    'create table rows (n serial, id text, text text, prompt text, response text)',
  );
  for (const row of ROWS) {
    await database.outside.query('insert into rows (id, text, prompt, response) values ($1, $2, $3, $4)', [
      ...COLUMNS.map((name) => row[name]),
    ]);
  }
  const out = join(dir, 'expected.jsonl');
  expect(await score([jsonl, '-o', out])).toMatchObject({ exitCode: SOME_REJECTED });
  expected = withoutPlace(await readScores(out));
  expect(expected.map(({ key }) => key)).toEqual(ROWS.map(({ id }) => id));
});
afterAll(async () => {
  await scoring.close();
  await database.close();
});

describe('a corpus gives the same scores from', () => {
  test.each(['rows.csv', 'rows.tsv', 'rows.parquet', 'rows.jsonl.zst'])('%s', async (name) => {
    const ended = await score([join(dir, name)]);
    expect(ended.exitCode).toBe(SOME_REJECTED);
    expect(withoutPlace(parseLines(ended.stdout))).toEqual(expected);
    expect(ended.stderr).toContain('new:        0\n');
  });

  test('a query', async () => {
    const ended = await score([
      database.url,
      '--query',
      'select id, text, prompt, response from rows order by n',
    ]);
    expect(ended.exitCode).toBe(SOME_REJECTED);
    expect(withoutPlace(parseLines(ended.stdout))).toEqual(expected);
  });

  test('a directory and a pattern', async () => {
    await writeFile(join(dir, 'in', 'b.csv'), await readFile(join(dir, 'rows.csv')));
    await writeJsonl(join(dir, 'in', 'a.jsonl'), ROWS);
    for (const source of [join(dir, 'in'), join(dir, 'in', '*.{csv,jsonl}')]) {
      const ended = await score([source]);
      expect(withoutPlace(parseLines(ended.stdout))).toEqual([...expected, ...expected]);
    }
  });

  test('stdin in a format that is named', async () => {
    const ended = await score(['-', '--input-format', 'parquet'], {
      stdin: await readFile(join(dir, 'rows.parquet')),
    });
    expect(withoutPlace(parseLines(ended.stdout))).toEqual(expected);
  });

  test('a chat log', async () => {
    const messages = [
      { role: 'user', content: 'Good morning' },
      { role: 'assistant', content: 'Good morning to you.' },
      { role: 'user', content: [{ type: 'text', text: ROWS[1]?.prompt }] },
      { role: 'assistant', content: ROWS[1]?.response },
    ];
    const file = await writeJsonl(join(dir, 'chat.jsonl'), [{ id: 'exchange', messages }]);
    const ended = await score([file, '--shape', 'openai-chat']);
    expect(parseLines(ended.stdout)).toEqual([expected[1]]);
  });
});

describe('scores go to', () => {
  test('TSV, safe to open in a spreadsheet', async () => {
    const out = join(dir, 'out.tsv.gz');
    await score([join(dir, 'rows.csv'), '-o', out]);
    const rows: Record<string, string>[] = parse(gunzipSync(await readFile(out)), {
      columns: true,
      delimiter: '\t',
    });
    expect(rows.map(({ key }) => key)).toEqual(['post', 'exchange', '7', "'=1+1", 'none']);
    expect(rows.map(({ score }) => score)).toEqual(
      expected.map(({ score }) => (score === undefined ? '' : String(score))),
    );
  });

  test('Parquet', async () => {
    const out = join(dir, 'out.parquet');
    await score([join(dir, 'rows.csv'), '-o', out]);
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(out) });
    expect(rows).toMatchObject(expected.map(({ error: _, ...row }) => row));
  });

  test('a Postgres table, where writing again changes nothing', async () => {
    for (let i = 0; i < 2; i += 1) {
      const ended = await score([join(dir, 'rows.csv'), '-o', database.url, '--out-table', 'scores']);
      expect(ended.exitCode).toBe(SOME_REJECTED);
    }
    const { rows } = await database.outside.query<ScoreLine>('select key, score, tokens from scores');
    const byKey = (a: ScoreLine, b: ScoreLine): number => (a.key < b.key ? -1 : 1);
    expect(rows.toSorted(byKey)).toMatchObject(
      expected
        .map(({ key, score = null, tokens = null }) => ({ key, score, tokens }))
        .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    );
  });

  test('the output of an OpenAI batch', async () => {
    const request = (custom_id: string, input: unknown): object => ({
      custom_id,
      method: 'POST',
      url: '/v1/moderations',
      body: { input },
    });
    const file = await writeJsonl(join(dir, 'batch.jsonl'), [
      request('one', ROWS[0]?.text),
      request('two', [ROWS[0]?.text, ROWS[2]?.text]),
      request('bad', [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]),
    ]);
    const out = join(dir, 'batch_output.jsonl');
    const ended = await score([file, '--shape', 'openai-batch', '--format', 'openai-batch', '-o', out]);
    expect(ended.exitCode).toBe(SOME_REJECTED);
    const result = (line: ScoreLine | undefined): object => ({
      flagged: line?.harmful,
      categories: { harmful: line?.harmful },
      category_scores: { harmful: line?.score },
    });
    const [post, , quotes] = expected;
    expect(parseLines(await readFile(out))).toMatchObject([
      { custom_id: 'one', response: { status_code: 200, body: { results: [result(post)] } } },
      { custom_id: 'two', response: { status_code: 200, body: { results: [result(post), result(quotes)] } } },
    ]);
    expect(parseLines(await readFile(join(dir, 'batch_output.errors.jsonl')))).toMatchObject([
      {
        custom_id: 'bad',
        response: { status_code: 400, body: { error: { message: expect.stringContaining('is an image') } } },
      },
    ]);
  });
});

test('an address with a password is nowhere shown', async () => {
  const url = new URL(database.url);
  url.password = 'hunter2';
  url.pathname = '/no_such_database';
  const ended = await score([url.href, '--query', 'select 1']);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain('cannot be reached');
  expect(ended.stderr).not.toContain('hunter2');
});

const BLOCK_BYTES = 128 * 1024;

/** A zstd file of raw blocks (RFC 8878, 3.1.1): Node 20 cannot write zstd. */
function storedZst(content: Buffer): Buffer {
  const twoMegabytes = 0x58;
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, twoMegabytes])];
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    const block = content.subarray(at, at + BLOCK_BYTES);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (at + BLOCK_BYTES >= content.length ? 1 : 0), 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}
