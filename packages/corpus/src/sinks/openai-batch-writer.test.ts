import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { batchErrorsPath, moderationResult } from './openai-batch-writer.js';
import type { ScoreRow } from './score-format.js';
import { checkOutput, writerFor } from './score-writer.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-batch-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const scored = (key: string, score: number): ScoreRow => ({
  key,
  score,
  harmful: score >= 0.5,
  threshold: 0.5,
  tokens: 3,
  truncated: false,
});

const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function write(name: string, pages: ScoreRow[][]): Promise<void> {
  const writer = await writerFor(join(dir, name), 'openai-batch', { model: 'starter' });
  for (const page of pages) await writer.write(page);
  await writer.finish();
}

test('a request is a line with a result for each of its items, also over two pages', async () => {
  await write('out.jsonl', [
    [scored('a', 0.25), scored('b[0/2]', 0.5)],
    [scored('b[1/2]', 0.125), scored('c', 0.75)],
  ]);
  const written = lines(await readFile(join(dir, 'out.jsonl'), 'utf8'));
  expect(written[1]).toEqual({
    id: 'batch_req_2',
    custom_id: 'b',
    response: {
      status_code: 200,
      request_id: 'req_2',
      body: {
        id: 'modr-2',
        model: 'starter',
        results: [
          moderationResult({ score: 0.5, threshold: 0.5, truncated: false }),
          moderationResult({ score: 0.125, threshold: 0.5, truncated: false }),
        ],
      },
    },
    error: null,
  });
  expect(written).toMatchObject([{ custom_id: 'a' }, {}, { custom_id: 'c' }]);
  expect(await readFile(join(dir, 'out.errors.jsonl'), 'utf8')).toBe('');
});

test('a request of which an item has no score is a line of the error file', async () => {
  await write('out.jsonl.gz', [
    [
      { key: 'a', error: 'no input', unreadable: true },
      scored('b[0/2]', 0.5),
      { key: 'b[1/2]', error: 'the engine ended', unreadable: false },
      scored('a', 0.1),
    ],
  ]);
  const read = async (name: string): Promise<unknown[]> =>
    lines(gunzipSync(await readFile(join(dir, name))).toString());
  expect(await read('out.jsonl.gz')).toMatchObject([{ id: 'batch_req_3', custom_id: 'a' }]);
  expect(await read('out.errors.jsonl.gz')).toEqual([
    {
      id: 'batch_req_1',
      custom_id: 'a',
      response: {
        status_code: 400,
        request_id: 'req_1',
        body: {
          error: {
            message: 'no input',
            type: 'invalid_request_error',
            param: 'input',
            code: 'invalid_value',
          },
        },
      },
      error: null,
    },
    expect.objectContaining({
      custom_id: 'b',
      response: {
        status_code: 500,
        request_id: 'req_2',
        body: { error: { message: 'the engine ended', type: 'server_error', param: null, code: 'no_score' } },
      },
    }),
  ]);
});

test('a request says with its answer who judged, and a fault which it is', async () => {
  const fault = { message: 'no such model', status: 404, code: 'model_not_found', param: 'model' };
  await write('out.jsonl', [
    [
      { ...scored('a', 0.25), answer: { model: 'starter:strict' } },
      { key: 'b', error: 'no such model [404 model_not_found: model]', unreadable: true, answer: { fault } },
      {
        key: 'line:3',
        error: 'no JSON',
        answer: { line: 3, fault: { ...fault, message: 'no JSON', status: null, param: null } },
      },
    ],
  ]);
  expect(lines(await readFile(join(dir, 'out.jsonl'), 'utf8'))).toMatchObject([
    { custom_id: 'a', response: { body: { model: 'starter:strict' } } },
  ]);
  const error = { code: 'model_not_found', type: 'invalid_request_error' };
  expect(lines(await readFile(join(dir, 'out.errors.jsonl'), 'utf8'))).toMatchObject([
    {
      custom_id: 'b',
      response: { status_code: 404, body: { error: { ...error, message: 'no such model', param: 'model' } } },
      error: null,
    },
    {
      custom_id: null,
      response: null,
      error: { code: 'model_not_found', message: 'Line 3: no JSON', param: null },
    },
  ]);
});

test('a result tells what a client looks for, and the score itself', () => {
  expect(moderationResult({ score: 0.5, threshold: 0.5, truncated: true })).toEqual({
    flagged: true,
    categories: { harmful: true },
    category_scores: { harmful: 0.5 },
    category_applied_input_types: { harmful: ['text'] },
    score: 0.5,
    threshold: 0.5,
    truncated: true,
  });
});

test('given up, it leaves nothing', async () => {
  const writer = await writerFor(join(dir, 'out.jsonl'), 'openai-batch');
  await writer.write([scored('a', 0.1)]);
  await writer.abort();
  expect(await readdir(dir)).toEqual([]);
});

test('standard output cannot hold both files', async () => {
  await expect(checkOutput('-', 'openai-batch')).rejects.toMatchObject({ name: 'UserError' });
});

test.each([
  ['out.jsonl', 'out.errors.jsonl'],
  ['a.b/out.jsonl.gz', 'a.b/out.errors.jsonl.gz'],
  ['a.b/out', 'a.b/out.errors'],
])('the errors of %s go to %s', (path, errors) => {
  expect(batchErrorsPath(path)).toBe(errors);
});
