import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { openScoring, type Scoring } from '../setup/scoring.js';
import { type Ended, parseLines } from '../setup/tocsin.js';

const MB = 1024 * 1024;

let dir: string;
let scoring: Scoring;
beforeAll(async () => {
  dir = scratchDir();
  scoring = await openScoring();
});
afterAll(() => scoring.close());

async function score(bytes: string | Buffer, name = 'rows.jsonl'): Promise<Ended> {
  const file = join(dir, name);
  await writeFile(file, bytes);
  return scoring.score([file]);
}

const scored = { score: expect.any(Number) };
const rejected = (reason: RegExp) => ({ error: expect.stringMatching(reason) });

/** A line, the key of its row, and its expected outcome. */
const LINES: [line: string | Buffer, key: string, outcome: object][] = [
  ['{"id":"good","text":"What a lovely morning."}', 'good', scored],
  ['not JSON', 'line:2', rejected(/rows.jsonl, line 2: The line is not JSON at character 1/)],
  ['{"id":"cut","text":"no end', 'line:3', rejected(/line 3: The line is not JSON at character 27/)],
  ['["an array"]', 'line:4', rejected(/line 4: The line is an array; a JSON object .* was expected/)],
  ['"a string"', 'line:5', rejected(/line 5: The line is a string/)],
  [
    '{"id":"none","body":"x"}',
    'none',
    rejected(/line 6: The row has no text to score: .* it has "id", "body"/),
  ],
  ['{"id":"null","text":null}', 'null', rejected(/line 7: The row has no text to score/)],
  ['{"id":"number","text":5}', 'number', rejected(/line 8: The field "text" is a number/)],
  ['{"id":"list","prompt":["x"]}', 'list', rejected(/line 9: The field "prompt" is an array/)],
  [
    '{"id":"both","text":"x","prompt":"y"}',
    'both',
    rejected(/line 10: The row has both "text" and "prompt"/),
  ],
  ['{"id":"nul","text":"a\\u0000b"}', 'nul', scored],
  [
    '{"id":"a\\u0000b","text":"x"}',
    'line:12',
    rejected(/line 12: The id field "id" holds the character U\+0000/),
  ],
  ['{"id":"half","text":"a\\ud800b"}', 'half', rejected(/line 13: .*"text" holds half of a surrogate pair/)],
  [
    '{"id":"\\udc00","text":"x"}',
    'line:14',
    rejected(/line 14: The id field "id" holds half of a surrogate pair/),
  ],
  ['{"id":{"n":1},"text":"x"}', 'line:15', rejected(/line 15: The id field "id" is an object/)],
  [
    `{"id":"${'k'.repeat(1025)}","text":"x"}`,
    'line:16',
    rejected(/line 16: The id field "id" is 1,025 characters long/),
  ],
  [Buffer.from([0x22, 0xff, 0x22]), 'line:17', rejected(/line 17: The line is not UTF-8: byte 2/)],
  ['{"id":"empty","text":""}', 'empty', scored],
  ['{"id":"blanks","text":" \\n\\t "}', 'blanks', scored],
  ['{"id":"good","text":"The same key again."}', 'good', scored],
  ['{"id":12345678901234567890,"text":"a long number"}', '12345678901234567890', scored],
];

test('a bad row is rejected with its line and the reason, and every other is scored', async () => {
  const ended = await score(Buffer.concat(LINES.flatMap(([line]) => [Buffer.from(line), Buffer.from('\n')])));
  expect(ended.exitCode).toBe(2);
  const lines = parseLines(ended.stdout);
  expect(lines.map(({ key }) => key)).toEqual(LINES.map(([, key]) => key));
  for (const [i, [, , outcome]] of LINES.entries()) expect(lines[i]).toMatchObject(outcome);
  expect(ended.stderr).toMatch(/scored: +6 .*\nnew: +5\nfrom cache: 0\nduplicates: 1\nrejected: +15\n/);
});

test('a byte order mark, CR LF and blank lines are no part of a row; the last line needs no end', async () => {
  const text = '\ufeff{"text":"one"}\r\n\r\n   \n{"text":"two"}\r\n{"text":"three"}';
  const ended = await score(text);
  expect(ended.exitCode).toBe(0);
  expect(parseLines(ended.stdout)).toMatchObject([
    { key: 'line:1', ...scored },
    { key: 'line:4', ...scored },
    { key: 'line:5', ...scored },
  ]);
  const plain = await score('{"text":"one"}\n{"text":"two"}\n{"text":"three"}\n');
  const scores = (from: Ended) => parseLines(from.stdout).map((line) => line.score);
  expect(scores(ended)).toEqual(scores(plain));
});

test('50 MB in a line are scored, more than 64 MB are rejected', async () => {
  const file = join(dir, 'long.jsonl');
  await writeFile(file, '{"id":"before","text":"short"}\n');
  for (const [id, megabytes] of [
    ['long', 50],
    ['too long', 65],
  ] as const) {
    await appendFile(file, `{"id":"${id}","text":"${'word '.repeat((megabytes * MB) / 5)}"}\n`);
  }
  await appendFile(file, '{"id":"after","text":"short again"}\n');
  const ended = await scoring.score([file]);
  expect(ended.exitCode).toBe(2);
  expect(parseLines(ended.stdout)).toMatchObject([
    { key: 'before', truncated: false, ...scored },
    { key: 'long', truncated: true, tokens: 512, ...scored },
    {
      key: 'line:3',
      ...rejected(/line 3: The line is 68,\d{3},\d{3} bytes long, more than the limit of 67,108,864/),
    },
    { key: 'after', truncated: false, ...scored },
  ]);
});

test.each([
  ['empty', ''],
  ['of blank lines', '\n  \n\r\n'],
])('a file that is %s has no rows, and that is no error', async (_name, text) => {
  const ended = await score(text);
  expect(ended).toMatchObject({ exitCode: 0, stdout: Buffer.alloc(0) });
  expect(ended.stderr).toContain('rows:       0\n');
});
