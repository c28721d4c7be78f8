import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { outcome, readRows } from '../testing/read-rows.js';
import type { ReadCorpusOptions } from './read-corpus.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-remedies-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Read {
  rows: unknown[][];
  notices: string[];
}

async function read(name: string, content: string | Buffer, options: ReadCorpusOptions = {}): Promise<Read> {
  const file = join(dir, name);
  await writeFile(file, content);
  const notices: string[] = [];
  const onNotice = (notice: string): number => notices.push(notice);
  const rows = await readRows(file, { task: 'content', onNotice, ...options });
  return { rows: rows.map(outcome), notices };
}

/** What is said when a file is refused. */
const remedy = (name: string, content: string | Buffer): Promise<string> =>
  read(name, content).then(
    () => 'nothing was refused',
    (error: Error & { hint?: string }) => error.hint ?? 'no hint',
  );

const line = (row: unknown): string => `${JSON.stringify(row)}\n`;
const DIALOGUE = '\n\nHuman: hi\n\nAssistant: hello';

describe('records of which no field is read are refused with the command for their kind', () => {
  test.each([
    [
      'Alpaca',
      { instruction: 'a', input: 'b', output: 'c' },
      '--prompt-field "instruction" --response-field "output"',
    ],
    [
      'question and answer',
      { question: 'a', answer: 'b' },
      '--prompt-field "question" --response-field "answer"',
    ],
    ['hh-rlhf', { chosen: DIALOGUE, rejected: DIALOGUE }, `jq -c '.chosen | capture(`],
    ['one text of a dialogue', { transcript: DIALOGUE, rating: 1 }, `jq -c '.transcript | capture(`],
    ['a text in an object', { id: 1, data: { text: 'a' } }, `jq -c '{id, text: .data.text}'`],
    [
      'deeper, and an id',
      { _id: 'x', _source: { 'full text': 'a' } },
      `{id: ._id, text: ._source."full text"}`,
    ],
    ['a text by language', { text: { en: 'a' } }, `jq -c '.text = .text.en'`],
    ['a prompt with its scores', { prompt: { text: 'a', toxicity: 0.1 } }, `jq -c '.prompt = .prompt.text'`],
    ['an id in an object', { id: { $oid: 'ab' }, text: 'a' }, `jq -c '.id |= ."$oid"'`],
    ['parts of a text', { text: ['a', 'b'] }, `jq -c '.text |= join("\\n")'`],
    ['preferred chats', { chosen: [{ role: 'user', content: 'a' }] }, '--messages-field "chosen"'],
    [
      'parts of messages',
      { contents: [{ role: 'user', parts: [{ text: 'a' }] }] },
      '--messages-field "contents"',
    ],
    [
      'stored requests',
      { request: { messages: [{ role: 'user', content: 'a' }] }, response: { choices: [] } },
      '--shape openai-chat',
    ],
    [
      'a chat program',
      { name: 'x', messages: [{ id: 1, content: 'a' }] },
      `jq -c '.messages[] | {id, text: .content}'`,
    ],
    [
      'rows in rows',
      { features: [], rows: [{ row: { text: 'a' } }] },
      `jq -c '.rows[] | {id, text: .row.text}'`,
    ],
    ['a data frame, split', { columns: ['text'], index: [0], data: [['a']] }, 'orient "split"'],
    ['a data frame, by columns', { text: { 0: 'a', 1: 'b' } }, `jq -c '.text | to_entries[]`],
    ['a data frame, by index', { 0: { text: 'a' }, 1: { text: 'b' } }, `(orient "index"): jq -c '.[]'`],
    ['lists of values', [1, 'a'], `jq -c '.[] | {id: .[0], text: .[1]}'`],
    ['JSON in strings', '{"text":"a"}', 'fromjson'],
  ])('%s', async (_kind, record, expected) => {
    expect(await remedy('rows.json', JSON.stringify([record]))).toContain(expected);
  });
});

describe('files that are no JSON are refused with what makes JSON of them', () => {
  test.each([
    ['plain text', 'I love tea.\nBread.\n', `jq -Rc '{text: .}'`],
    ['a chat log', '[12/01/2024, 10:01] Ann: tea\n[12/01/2024, 10:02] Bob: me too\n', `jq -Rc '{text: .}'`],
    ['Python', "{'text': 'a'}\n", 'ast.literal_eval'],
    ['YAML', '- text: a\n', 'yq -o=json'],
    ['a table', 'id;text\n1;a\n', `--input-format csv --delimiter ';'`],
    ['what psql prints', ' id | text\n----+------\n  1 | a\n', 'psql --csv'],
    ['what mysql prints', '+----+------+\n| id | text |\n+----+------+\n', 'mysql --batch'],
    ['objects on one line', '{"text":"a"}{"text":"b"}\n', 'jq -c .'],
    ['XML', '<rows><row>a</row></rows>\n', 'XML or HTML'],
  ])('%s', async (_kind, content, expected) => {
    expect(await remedy('rows.jsonl', content)).toContain(expected);
  });

  test.each([
    ['an error page', '<!DOCTYPE html><html>404</html>', 'fetch the file again'],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:a\n', 'git lfs pull'],
    ['SQLite', `SQLite format 3\0${'\0'.repeat(100)}`, 'sqlite3 -header -csv'],
    ['a tar archive', `rows.jsonl${'\0'.repeat(247)}ustar  \0`, 'tar -xf'],
    ['old Excel', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), 'CSV UTF-8'],
  ])('%s', async (_kind, content, expected) => {
    expect(await remedy('rows.csv', content)).toContain(expected);
  });
});

describe('tables', () => {
  test.each([
    ['comments first', '# of today\n# by Ann\nid,text\n1,a\n', 'tail -n +3 FILE'],
    ['a title first', 'Comments of May,,\nid,text,author\n1,a,b\n', 'tail -n +2 FILE'],
    ['single quotes', "'id','text'\n'1','a, b'\n", '--quote single'],
    ['another delimiter in quotes', '"id";"text"\n"1";"a"\n', `--delimiter ';'`],
    ['drawn for people', '| id | text |\n|---|---|\n| 1 | a |\n', 'psql --csv'],
    ['one column without a header', 'I love tea\nme too\n', `jq -Rc '{text: .}'`],
    ['a column twice', 'id,text,text\n1,a,b\n', 'Rename one of them in the first line'],
    [
      'prompts and responses',
      'user_input,model_output\na,b\n',
      '--prompt-field "user_input" --response-field "model_output"',
    ],
  ])('%s', async (_kind, content, expected) => {
    expect(await remedy('rows.csv', content)).toContain(expected);
  });

  test('a dump of COPY has no header', async () => {
    expect(await remedy('rows.tsv', '1\ta\t\\N\n2\tb\tc\n')).toContain('\\copy (select id, text from ...)');
    expect(await remedy('rows.tsv', '1\ta\tc\n2\tb\tc\n')).toContain(`printf 'id\\ttext\\tc3\\n'`);
  });

  test('\\N is no text, and a note says so', async () => {
    const { rows, notices } = await read('rows.tsv', 'id\ttext\tby\n1\ta\t\\N\n2\t\\N\tb\n');
    expect(rows).toEqual([
      ['1', 2, { text: 'a' }],
      ['2', 3, expect.stringContaining('"text" (null)')],
    ]);
    expect(notices).toEqual([expect.stringContaining('2 records hold \\N (the first at line 2)')]);
  });

  test('texts in single quotes are scored only when it is said what the quotes are', async () => {
    const table = "id,text\n1,'I love tea, and bread.'\n2,'it''s'\n3,'a'\n";
    expect(await remedy('rows.csv', table)).toContain('--quote single');
    const { rows } = await read('rows.csv', table, { quote: 'single' });
    expect(rows.map(([, , content]) => content)).toEqual([
      { text: 'I love tea, and bread.' },
      { text: "it's" },
      { text: 'a' },
    ]);
    expect((await read('rows.csv', table, { quote: 'double' })).rows[2]).toEqual(['3', 4, { text: "'a'" }]);
  });
});

describe('half of an exchange', () => {
  test.each([
    [{ prompt: 'a', completion: 'b' }, '--response-field "completion"'],
    [{ prompt: 'a', chosen: 'b', rejected: 'c' }, '--response-field "chosen"'],
    [{ instruction: 'a', context: '', response: 'b' }, '--prompt-field "instruction"'],
  ])('%j is scored, and a note names the option for the other half', async (record, option) => {
    const { rows, notices } = await read('rows.jsonl', line(record));
    expect(rows).toHaveLength(1);
    expect(notices).toEqual([expect.stringContaining(option)]);
  });

  test('nothing is said of whole ones', async () => {
    expect((await read('rows.jsonl', line({ prompt: 'a', response: 'b', output: 'c' }))).notices).toEqual([]);
    expect((await read('rows.jsonl', line({ prompt: 'a', id: 'answer' }))).notices).toEqual([]);
  });
});

describe('text that is not UTF-8', () => {
  const plain = Array.from({ length: 50 }, (_, i) => `${i},plain text\n`).join('');
  const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

  test('is refused as windows-1252 when that is what the few other rows are', async () => {
    const table = latin(`id,text\n${plain}51,café\n52,naïve\n`);
    expect(await remedy('rows.csv', table)).toBe(
      'It looks like windows-1252 (Latin-1): use --encoding windows-1252',
    );
    const { rows } = await read('rows.csv', table, { encoding: 'windows-1252' });
    expect(rows.slice(-2).map(([, , content]) => content)).toEqual([{ text: 'café' }, { text: 'naïve' }]);
  });

  test('is noted as that when it comes later, or once', async () => {
    const late = await read('rows.csv', latin(`id,text\n${plain.repeat(3)}51,café\n52,naïve\n`));
    expect(late.rows).toHaveLength(152);
    expect(late.notices).toEqual([
      expect.stringMatching(/2 rows contain invalid UTF-8.*use --encoding windows-1252$/),
    ]);
    const once = await read('rows.jsonl', latin(`{"text":"a"}\n{"text":"café"}\n`));
    expect(once.notices).toEqual([
      expect.stringMatching(/1 row contains invalid UTF-8.*use --encoding windows-1252$/),
    ]);
  });

  test.each([
    [
      'other rows are UTF-8',
      Buffer.concat([Buffer.from('id,text\n1,café\n'), latin('2,naïve\n3,élan\n4,x\n5,y\n')]),
    ],
    [
      'only a sequence was cut',
      Buffer.concat([Buffer.from('id,text\n1,a\n2,b\n3,caf'), Buffer.from([0xc3, 0x0a])]),
    ],
  ])('is a reject where %s', async (_why, table) => {
    const { rows, notices } = await read('rows.csv', table);
    expect(rows.at(-1)?.[1]).toBeGreaterThan(3);
    expect(notices).toEqual([expect.stringContaining('set it: --encoding windows-1252 (or windows-1251')]);
  });

  test('of another alphabet is not taken for it', async () => {
    const cyrillic = Buffer.from([0xf7, 0xe0, 0xe9]);
    const table = Buffer.concat([Buffer.from('id,text\n1,'), cyrillic, Buffer.from('\n2,'), cyrillic]);
    expect(await remedy('rows.csv', table)).toContain('shift_jis, euc-kr, gb18030, big5, ...)');
  });
});
