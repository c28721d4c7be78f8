import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { openScoring, type Scoring } from '../setup/scoring.js';
import { parseLines } from '../setup/tocsin.js';

let dir: string;
let scoring: Scoring;
beforeAll(async () => {
  dir = scratchDir();
  scoring = await openScoring();
});
afterAll(() => scoring.close());

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(dir, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

const UNQUOTED = 'id\ttext\n1\t"hello\n2\ta morning\n3\tsome "tea"\n4\tgood bread"\n5\tmilk\n6\thoney\n';
const CHAT = {
  conversations: [
    { from: 'human', value: 'Bread?' },
    { from: 'gpt', value: 'Flour.' },
  ],
};

test.each<[name: string, content: string | Buffer, args: string[], rows: number, said: RegExp]>([
  ['unquoted.tsv', UNQUOTED, [], 6, /note: ".*unquoted.tsv": double quotes are read as plain characters/],
  ['told.tsv', UNQUOTED, ['--quote', 'none'], 6, /rows: +6\n/],
  ['cr.csv', 'id,text\r1,bread\r2,tea\r', [], 2, /note: lines of ".*cr.csv" end at CR alone/],
  [
    'joined.csv',
    '\ufeffid,text\n1,bread\n\ufeffid,text\n2,tea\n',
    [],
    2,
    /skipped 1 line that repeats the header/,
  ],
  ['sep.csv', 'sep=;\r\nid;text\r\n1;bread\r\n2;tea\r\n', [], 2, /rows: +2\n/],
  ['case.csv', 'ID,Text\n1,bread\n', [], 1, /the column "Text" is read as "text"/],
  ['twice.csv', 'id,date,date,text\n1,a,b,bread\n', [], 1, /rows: +1\n/],
  ['utf16.csv', Buffer.from('id,text\r\n1,bread\r\n', 'utf16le'), [], 1, /is read as utf-16le/],
  [
    'latin1.csv',
    Buffer.from('id,text\n1,caf\u00e9\n', 'latin1'),
    ['--encoding', 'windows-1252'],
    1,
    /rows: +1\n/,
  ],
  ['array.json', JSON.stringify([{ text: 'bread' }, { text: 'tea' }], null, 2), [], 2, /rows: +2\n/],
  ['nan.jsonl', '{"text":"bread","score":NaN}\n', [], 1, /rows: +1\n/],
  [
    'sharegpt.jsonl',
    JSON.stringify(CHAT),
    ['--shape', 'openai-chat', '--messages-field', 'conversations'],
    1,
    /rows: +1\n/,
  ],
])('%s is scored', async (name, content, args, rows, said) => {
  const ended = await scoring.score([await file(name, content), ...args]);
  expect(ended).toMatchObject({ exitCode: 0 });
  const lines = parseLines(ended.stdout);
  expect(lines).toHaveLength(rows);
  for (const line of lines) expect(line.score).toEqual(expect.any(Number));
  expect(ended.stderr).toMatch(said);
});

test.each<[name: string, content: string | Buffer, remedy: RegExp]>([
  ['semicolon.csv', 'id;text\r\n1;bread\r\n2;tea\r\n', /use --delimiter ';'/],
  ['other.csv', 'id,Message text\n1,bread\n', /--text-field "Message text"/],
  ['no-header.csv', '1,bread\n2,tea\n', /has no header/],
  ['latin.csv', Buffer.from('id,text\n1,caf\u00e9\n', 'latin1'), /--encoding windows-1252/],
  ['chat.jsonl', JSON.stringify(CHAT), /--shape openai-chat --messages-field "conversations"/],
  ['messages.jsonl', '{"messages":[{"role":"user","content":"x"}]}', /--shape openai-chat/],
  ['nested.json', '{"data":[{"text":"x"}]}', /jq -c '.data\[\]'/],
])('%s is refused before scoring, with the remedy', async (name, content, remedy) => {
  const ended = await scoring.score([await file(name, content)]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(remedy);
  expect(String(ended.stdout)).toBe('');
});

test('a directory says what it leaves out, and a file without rows is named', async () => {
  await file('spark/part-0.json', '{"id":1,"text":"tea"}\n');
  await file('spark/part-1.jsonl', '{"id":2,"text":"bread"}\n');
  await file('spark/part-2.txt', '{"id":3,"text":"milk"}\n');
  await file('spark/part-3.jsonl', '');
  const ended = await scoring.score([join(dir, 'spark')]);
  expect(ended.exitCode).toBe(0);
  expect(parseLines(ended.stdout).map(({ key }) => key)).toEqual(['1', '2']);
  expect(ended.stderr).toMatch(/note: skipped 1 file of ".*spark": .*"part-2.txt"/);
  expect(ended.stderr).toMatch(/note: ".*part-3.jsonl" contains no rows/);
});
