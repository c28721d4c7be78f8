import { link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestDatabase } from '@tocsin/store/testing';
import { parse } from 'csv-parse/sync';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { openScoring, type Scoring } from '../setup/scoring.js';
import { goldenGuard, parseLines, tocsin, writeJsonl } from '../setup/tocsin.js';

const TEA = 'I love tea.';
const scored = { score: expect.any(Number) };

let dir: string;
let scoring: Scoring;
let database: TestDatabase;
beforeAll(async () => {
  dir = scratchDir();
  scoring = await openScoring();
  database = await TestDatabase.empty();
});
afterAll(async () => {
  await scoring.close();
  await database.close();
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(dir, name), content);
  return join(dir, name);
}

describe('a score stays with its row', () => {
  test('in a table, where a reject has the number of a line that is another row’s id', async () => {
    const lines = [
      '{"id":2,"text":"bread"}',
      '{"id":3,"text":"tea"}',
      '{"id":4,"text":"cut',
      '{"id":5,"text":"x"}',
    ];
    const corpus = await file('collide.jsonl', lines.join('\n'));
    const ended = await scoring.score([corpus, '-o', database.url, '--out-table', 'collide']);
    expect(ended.exitCode).toBe(2);
    const { rows } = await database.outside.query('select key, score, error from collide order by key');
    expect(rows).toMatchObject([
      { key: '2', ...scored, error: null },
      { key: '3', ...scored, error: null },
      { key: '5', ...scored, error: null },
      { key: 'line:3', score: null, error: expect.stringContaining('line 3') },
    ]);
    expect(ended.stderr).not.toContain('share');
  });

  test('in a table, where rows share a key: the last score stays, and the others are counted', async () => {
    const corpus = await file(
      'shared.jsonl',
      '{"id":"a","text":"tea"}\n{"id":"a","text":"bread"}\n{"id":"a"}\n',
    );
    const ended = await scoring.score([corpus, '-o', database.url, '--out-table', 'shared']);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain('2 rows share their key with another row of this output');
    const { rows } = await database.outside.query('select key, score, error from shared');
    expect(rows).toEqual([{ key: 'a', ...scored, error: null }]);
  });

  test('of several sources, and of a Parquet file', async () => {
    const columnData = [{ name: 'text', data: [TEA, null], type: 'STRING' as const }];
    const parquet = await file('texts.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    const jsonl = await file('texts.jsonl', `\n{"text":"${TEA}"}\n`);
    const keys = async (sources: string[]): Promise<string[]> =>
      parseLines((await scoring.score(sources)).stdout).map(({ key }) => key);
    expect(await keys([parquet])).toEqual(['row:1', 'row:2']);
    expect(await keys([parquet, jsonl])).toEqual([
      'texts.parquet:row:1',
      'texts.parquet:row:2',
      'texts.jsonl:line:2',
    ]);
  });
});

describe('an id keeps every digit', () => {
  test('of a decimal, a time in microseconds, and an integer; NaN is no id', async () => {
    const decimal = {
      converted_type: 'DECIMAL',
      scale: 2,
      precision: 38,
      repetition_type: 'OPTIONAL',
    } as const;
    const ids = [
      {
        schema: { type: 'INT64', ...decimal, precision: 18, scale: 0 },
        data: [123456789012345671n, 123456789012345672n],
        keys: ['123456789012345671', '123456789012345672'],
      },
      {
        schema: { type: 'INT64', converted_type: 'TIMESTAMP_MICROS', repetition_type: 'OPTIONAL' },
        data: [1_700_000_000_123_456n, 1_700_000_000_123_457n],
        keys: ['2023-11-14T22:13:20.123456Z', '2023-11-14T22:13:20.123457Z'],
      },
      {
        schema: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
        data: [1.5, Number.NaN],
        keys: ['1.5', 'row:2'],
      },
    ] as const;
    for (const [i, { schema, data, keys }] of ids.entries()) {
      const bytes = parquetWriteBuffer({
        schema: [
          { name: 'root', num_children: 2 },
          { name: 'id', ...schema },
          { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        ],
        columnData: [
          { name: 'id', data: [...data] },
          { name: 'text', data: [TEA, TEA] },
        ],
      });
      const ended = await scoring.score([await file(`ids-${i}.parquet`, new Uint8Array(bytes))]);
      expect(ended.exitCode).toBe(0);
      expect(parseLines(ended.stdout).map(({ key }) => key)).toEqual(keys);
    }
  });

  test('and stays a number in CSV, while a formula does not', async () => {
    const ids = ['-1001234567890', '+4915112345', '1e5', '-1.5', '00123', '=1+1', '-abc', '@user', '-'];
    const corpus = await file('ids.csv', `id,text\n${ids.map((id) => `${id},${TEA}\n`).join('')}`);
    const out = join(dir, 'ids-out.csv');
    expect(await scoring.score([corpus, '-o', out])).toMatchObject({ exitCode: 0 });
    const rows: Record<string, string>[] = parse(await readFile(out), { columns: true });
    expect(rows.map(({ key }) => key)).toEqual([...ids.slice(0, 5), ...ids.slice(5).map((id) => `'${id}`)]);
  });
});

test('the output of an OpenAI batch has the ids and codes that the API gives', async () => {
  const request = (custom_id: unknown, input: unknown, change: object = {}): string =>
    JSON.stringify({ custom_id, method: 'POST', url: '/v1/moderations', body: { input }, ...change });
  const corpus = await file(
    'requests.jsonl',
    [
      request('1', TEA),
      request('1', 'bread'),
      request('2', [TEA, 'bread']),
      request('3', TEA, { url: '/v1/chat/completions' }),
      request('4', []),
      '{"custom_id":"5",',
      request('line:6', TEA),
      request('line:9', [1, 2]),
      request(undefined, TEA),
      request('7[0/2]', TEA),
    ].join('\n'),
  );
  const out = join(dir, 'answers.jsonl');
  const ended = await scoring.score([
    corpus,
    '--shape',
    'openai-batch',
    '--format',
    'openai-batch',
    '-o',
    out,
  ]);
  expect(ended.exitCode).toBe(2);
  const answered = parseLines(await readFile(out)) as unknown as { custom_id: string }[];
  expect(answered.map(({ custom_id }) => custom_id)).toEqual(['1', '2', 'line:6', '7[0/2]']);
  interface Failed {
    custom_id: string | null;
    error: { code: string; message: string } | null;
    response: {
      status_code: number;
      body: { error: { code: string; param: string; message: string } };
    } | null;
  }
  const failed = parseLines(await readFile(join(dir, 'answers.errors.jsonl'))) as unknown as Failed[];
  expect(
    failed.map(({ custom_id, error, response }) => [
      custom_id,
      response?.status_code ?? null,
      (error ?? response?.body.error)?.code,
    ]),
  ).toEqual([
    ['1', null, 'duplicate_custom_id'],
    ['3', null, 'url_mismatch'],
    ['4', 400, 'empty_array'],
    [null, null, 'invalid_json_line'],
    ['line:9', 400, 'invalid_type'],
    [null, null, 'missing_required_parameter'],
  ]);
  expect(failed[3]?.error?.message).toMatch(/line 6: The line is not JSON/);
  expect(failed[2]?.response?.body.error).toMatchObject({
    param: 'input',
    message: expect.not.stringContaining('['),
  });
});

describe('an output that is an input is refused, and the input stays as it is', () => {
  const text = `{"text":"${TEA}"}\n`;
  async function refused(args: string[], input: string, stdin?: string): Promise<void> {
    const ended = await tocsin([...args, ...goldenGuard('qwen3-mlp')], stdin === undefined ? {} : { stdin });
    expect(ended).toMatchObject({ exitCode: 1, stdout: Buffer.alloc(0) });
    expect(ended.stderr).toMatch(/cannot be written: it is also an input, and its rows would be overwritten/);
    expect(ended.stderr).not.toContain('defect');
    expect(await readFile(input, 'utf8')).toBe(text);
  }

  test('under its name, a symbolic or a hard link; by directory and by pattern; as a batch’s error file', async () => {
    await mkdir(join(dir, 'same'));
    const input = await file('same/a.jsonl', text);
    const other = await file('same/b.jsonl', text);
    await symlink(input, join(dir, 'symbolic.jsonl'));
    await link(input, join(dir, 'hard.jsonl'));
    await refused(['score', input, '-o', input], input);
    await refused(['score', other, input, '-o', join(dir, 'same', '..', 'same', 'a.jsonl')], input);
    await refused(['score', input, '-o', join(dir, 'symbolic.jsonl')], input);
    await refused(['score', join(dir, 'symbolic.jsonl'), '-o', join(dir, 'hard.jsonl')], input);
    await refused(['score', join(dir, 'same'), '-o', input], input);
    await refused(['score', join(dir, 'same', '*.jsonl'), '-o', input], input);
    const errors = await file('requests.errors.jsonl', text);
    const batch = ['--shape', 'openai-batch', '--format', 'openai-batch'];
    await refused(['score', errors, ...batch, '-o', join(dir, 'requests.jsonl')], errors);
  });

  test('of export, from another working directory, and by the directory or the link that was scored', async () => {
    await mkdir(join(dir, 'scored'));
    const input = await file('scored/a.jsonl', text);
    const corpora = [join(dir, 'scored'), input, join(dir, 'scored', '*.jsonl'), 'scored/a.jsonl'];
    for (const corpus of corpora) {
      const ended = await scoring.score([corpus, '--json', '-o', join(dir, 'out.jsonl')], { cwd: dir });
      const { run } = JSON.parse(String(ended.stdout));
      const exported = await scoring.run(['export', String(run), '-o', input]);
      expect(exported).toMatchObject({ exitCode: 1 });
      expect(exported.stderr).toMatch(
        /cannot be written: it is also an input, and its rows would be overwritten/,
      );
      expect(await readFile(input, 'utf8')).toBe(text);
      expect(await scoring.run(['export', String(run), '-o', join(dir, 'out.jsonl')])).toMatchObject({
        exitCode: 0,
      });
    }
  });

  test('of eval and compare', async () => {
    const input = await file('labelled.jsonl', text);
    const scores = await file('labelled-scores.jsonl', text);
    const labels = ['--label-field', 'label'];
    await refused(['eval', input, ...labels, '-o', input], input);
    const given = await tocsin(['eval', input, ...labels, '--scores', scores, '-o', scores]);
    expect(given.stderr).toContain('it is also an input');
    expect(await readFile(scores, 'utf8')).toBe(text);
    const { 1: guard = '', 3: backbone = '' } = goldenGuard('qwen3-mlp');
    const backbones = ['--backbone-a', backbone, '--backbone-b', backbone];
    const compared = await tocsin(['compare', guard, guard, input, ...backbones, '-o', input]);
    expect(compared).toMatchObject({ exitCode: 1 });
    expect(compared.stderr).toContain('it is also an input');
    expect(await readFile(input, 'utf8')).toBe(text);
  });
});

describe('a table that cannot take the scores is refused before anything is scored or made', () => {
  test.each(['replace', 'append', 'fail'])(
    'in the schema of Tocsin’s own tables, with --out-mode %s; a table of the same name elsewhere is no conflict',
    async (mode) => {
      const store = await TestDatabase.empty();
      try {
        const corpus = await writeJsonl(join(dir, 'own.jsonl'), [{ text: TEA }]);
        const env = { DATABASE_URL: store.url };
        const args = ['score', corpus, ...goldenGuard('qwen3-mlp'), '-o', store.url, '--out-mode', mode];
        expect(await tocsin(['runs'], { env })).toMatchObject({ exitCode: 0 });
        for (const table of ['tocsin.scores', 'tocsin.mine']) {
          const ended = await tocsin([...args, '--out-table', table], { env });
          expect(ended).toMatchObject({ exitCode: 1 });
          expect(ended.stderr).toMatch(
            /scores cannot be written to the schema "tocsin" on postgres.*: it holds Tocsin's own tables/,
          );
          expect(ended.stderr).not.toContain('defect');
        }
        expect((await store.pool.query('select from runs')).rowCount).toBe(0);
        // The user is called tocsin, so an unqualified name would be looked up in the schema tocsin first.
        expect(new URL(store.url).username).toBe('tocsin');
        expect(await tocsin([...args, '--out-table', 'scores'], { env })).toMatchObject({ exitCode: 0 });
        expect((await store.outside.query('select key from public.scores')).rows).toEqual([
          { key: 'line:1' },
        ]);
        expect((await store.pool.query('select from scores')).rowCount).toBe(1);
      } finally {
        await store.close();
      }
    },
  );

  test('a store in a database whose schema tocsin another program uses', async () => {
    const taken = await TestDatabase.empty();
    try {
      await taken.outside.query('create schema tocsin; create table tocsin.sessions (id int)');
      const ended = await tocsin(['runs'], { env: { DATABASE_URL: taken.url } });
      expect(ended).toMatchObject({ exitCode: 1 });
      expect(ended.stderr).toMatch(
        /the schema tocsin already has tables under names that Tocsin uses.*: sessions/,
      );
      const env = { DATABASE_URL: taken.url, TOCSIN_SCHEMA: 'harm' };
      expect(await tocsin(['runs'], { env })).toMatchObject({ exitCode: 0 });
      expect(await tocsin(['runs'], { env: { DATABASE_URL: `${taken.url}?schema=harm` } })).toMatchObject({
        exitCode: 0,
      });
    } finally {
      await taken.close();
    }
  });
});
