import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findSources } from './find-sources.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-find-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function files(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(dir, name, '..'), { recursive: true });
    await writeFile(join(dir, name), '12345');
  }
}

const inDir = (...names: string[]): string[] => names.map((name) => join(dir, name));
const refusal = (given: string[], reading = {}): Promise<unknown> =>
  findSources(given, reading).then(
    () => expect.fail('the sources were accepted'),
    (error: unknown) => error,
  );

test('files and stdin are what they are, in the order given', async () => {
  await files('b.jsonl', 'a.anything');
  expect(await findSources(inDir('b.jsonl', 'a.anything'))).toEqual({
    sources: inDir('b.jsonl', 'a.anything'),
    bytes: 10,
  });
  expect(await findSources(['-', ...inDir('b.jsonl')])).toEqual({
    sources: ['-', ...inDir('b.jsonl')],
    bytes: undefined,
  });
});

describe('a directory', () => {
  test('stands for the files of known formats in it, sorted, without hidden ones', async () => {
    await files('b.jsonl', 'a.csv.gz', 'deep/er/c.PARQUET', 'd.tsv.zst', 'e.ndjson');
    await files('README.md', 'f.json', '.g.jsonl', '.hidden/h.jsonl', 'i.jsonl.bak');
    const expected = {
      sources: inDir('a.csv.gz', 'b.jsonl', 'd.tsv.zst', 'deep/er/c.PARQUET', 'e.ndjson'),
      bytes: 25,
    };
    expect(await findSources([dir])).toEqual(expected);
    expect(await findSources([`${dir}//`])).toEqual(expected);
  });

  test('says what is left out, and reads .json files that hold rows', async () => {
    const row = '{"id":1,"text":"a"}';
    await writeFile(join(dir, 'part-0.json'), `${row}\n`);
    await writeFile(join(dir, 'part-1.json'), `[\n  ${row}\n]`);
    await writeFile(join(dir, 'dataset_info.json'), '{"features": {}}');
    await writeFile(join(dir, 'settings.json'), '{\n  "text": 1\n}');
    await files('part-2.txt', '_SUCCESS', 'd.parquet.gzip', 'deep/e.xz');
    const notices: string[] = [];
    const { sources } = await findSources([dir], {}, (notice) => notices.push(notice));
    expect(sources).toEqual(inDir('d.parquet.gzip', 'part-0.json', 'part-1.json'));
    expect(notices).toEqual([
      expect.stringContaining(
        `skipped 4 files of "${dir}": "dataset_info.json", "deep/e.xz", "part-2.txt", "settings.json". `,
      ),
    ]);
    expect(notices[0]).toContain('--input-format');
  });

  test('may have a name that looks like a pattern', async () => {
    await files('logs [2024] {a}/a.jsonl', 'logs 2/b.jsonl');
    expect((await findSources(inDir('logs [2024] {a}'))).sources).toEqual(inDir('logs [2024] {a}/a.jsonl'));
  });

  test('in which nothing is found is refused, with what is looked for', async () => {
    await files('README.md');
    expect(await refusal([dir])).toMatchObject({
      name: 'UserError',
      message: `the directory "${dir}" contains no corpus file, only "README.md"`,
      hint: expect.stringContaining('.jsonl, .ndjson, .json, .csv, .tsv, .parquet'),
    });
  });
});

describe('a pattern', () => {
  test('stands for the files that match it, sorted', async () => {
    await files('2024-02.jsonl', '2024-01.jsonl', '2023-12.jsonl', 'deep/2024-03.csv');
    expect((await findSources(inDir('2024-*.jsonl'))).sources).toEqual(
      inDir('2024-01.jsonl', '2024-02.jsonl'),
    );
    expect((await findSources(inDir('**/2024-0{1,3}.*'))).sources).toEqual(
      inDir('2024-01.jsonl', 'deep/2024-03.csv'),
    );
  });

  test('that is the name of a file is that file', async () => {
    await files('a[1].jsonl', 'a1.jsonl');
    expect((await findSources(inDir('a[1].jsonl'))).sources).toEqual(inDir('a[1].jsonl'));
  });

  test('that matches nothing is refused', async () => {
    expect(await refusal(inDir('*.jsonl'))).toMatchObject({
      name: 'UserError',
      message: `no file matches "${dir}/*.jsonl"`,
    });
  });
});

describe('how it is to be read must fit', () => {
  const url = 'postgres://reader:hunter2@db.example/logs';

  test('a database needs a query, and a query a database', async () => {
    expect(await findSources([url], { query: 'select 1' })).toEqual({ sources: [url], bytes: undefined });
    const refused = await refusal([url]);
    expect(refused).toMatchObject({
      message: '"postgres://reader@db.example/logs" cannot be read without a query',
    });
    expect(await refusal(['-'], { query: 'select 1' })).toMatchObject({
      message: 'a query needs a database',
    });
  });

  test.each(['', 'ab', '"', '\n', 'é'])('a delimiter is one ASCII character: not %j', async (delimiter) => {
    expect(await refusal(['-'], { delimiter })).toMatchObject({
      message: expect.stringContaining('one ASCII character'),
    });
  });
});
