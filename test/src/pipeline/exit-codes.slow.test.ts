import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { goldenGuard, tocsin, writeJsonl } from '../setup/tocsin.js';

const guard = goldenGuard('qwen3-mlp');
let dir: string;
let good: string;
let postgres: string[];

beforeAll(async () => {
  dir = scratchDir();
  postgres = ['--data-dir', join(dir, 'postgres')];
  good = await writeJsonl(join(dir, 'good.jsonl'), [{ text: 'What a lovely morning.' }]);
  await mkdir(join(dir, 'folder'));
  const text = randomRows(20_000, 8)
    .map((row) => JSON.stringify(row))
    .join('\n');
  await writeFile(join(dir, 'cut.jsonl.gz'), gzipSync(text).subarray(0, -1000));
  await writeFile(join(dir, 'latin1.jsonl'), Buffer.from('{"text":"caf\u00e9"}\n', 'latin1'));
});

test('0 when every row has a score', async () => {
  expect(await tocsin(['score', good, ...guard, ...postgres])).toMatchObject({ exitCode: 0 });
});

test('2 when a row has none', async () => {
  const some = join(dir, 'some.jsonl');
  await writeFile(some, '{"text":"What a lovely morning."}\nno JSON\n');
  expect(await tocsin(['score', some, ...guard, ...postgres])).toMatchObject({ exitCode: 2 });
});

test.each<[what: string, args: () => string[], message: RegExp]>([
  [
    'a missing file',
    () => [join(dir, 'absent.jsonl'), ...guard],
    /^tocsin: ".*absent.jsonl" cannot be read: no such file\n.+/,
  ],
  ['a missing file among others', () => [good, join(dir, 'absent.jsonl'), ...guard], /no such file/],
  [
    'a directory without a corpus',
    () => [join(dir, 'folder'), ...guard],
    /the directory "\S*folder" contains no corpus file/,
  ],
  [
    'text that is not UTF-8',
    () => [join(dir, 'latin1.jsonl'), ...guard],
    /the first row of ".*latin1.jsonl" is not UTF-8\n.*--encoding windows-1252/,
  ],
  [
    'an encoding that nobody knows',
    () => [good, ...guard, '--encoding', 'ebcdic-x'],
    /unknown encoding "ebcdic-x"/,
  ],
  [
    'a file that ends too early',
    () => [join(dir, 'cut.jsonl.gz'), ...guard],
    /gzip data .* is truncated.*after line/,
  ],
  ['standard input named twice', () => ['-', '-', ...guard], /stdin \(-\) cannot be read twice/],
  [
    'an output in a missing directory',
    () => [good, ...guard, '-o', join(dir, 'no', 'o.jsonl')],
    /cannot be written/,
  ],
  [
    'an output whose format nobody knows',
    () => [good, ...guard, '-o', join(dir, 'o.txt')],
    /its name has no known extension/,
  ],
  [
    'summary and scores both on standard output',
    () => [good, ...guard, '--json'],
    /--json and the scores would both/,
  ],
  [
    'one name for two fields',
    () => [good, ...guard, '--text-field', 'x', '--prompt-field', 'x'],
    /cannot be both text and prompt/,
  ],
  ['a guard that is not there', () => [good, '--guard', join(dir, 'absent')], /absent/],
  ['a threshold beyond 1', () => [good, ...guard, '--threshold', '1.5'], /Expected a number from 0 to 1/],
  ['no guard', () => [good], /required option.*--guard/],
  ['an option that does not exist', () => [good, ...guard, '--fast'], /unknown option '--fast'/],
])('1 for %s, in words and without a stack trace', async (_what, args, message) => {
  const ended = await tocsin(['score', ...args(), ...postgres]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).not.toMatch(/^\s+at |bug in Tocsin/m);
  expect(String(ended.stdout)).toBe('');
});

test('a corpus that breaks off leaves no output and no half of one', async () => {
  const outputs = join(dir, 'outputs');
  await mkdir(outputs);
  const out = join(outputs, 'scores.jsonl');
  const ended = await tocsin(['score', join(dir, 'cut.jsonl.gz'), ...guard, '-o', out, ...postgres]);
  expect(ended.exitCode).toBe(1);
  expect(await readdir(outputs)).toEqual([]);
});
