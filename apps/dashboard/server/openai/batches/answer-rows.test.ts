import type { ExportRow } from '@tocsin/store';
import { expect, test } from 'vitest';
import { answerRow, zipRows } from './answer-rows.js';
import type { RequestRow } from './batch-requests.js';

const guard = { name: 'starter', threshold: 0.5, createdAt: new Date(0) };
const place = { seq: 1, key: 'a', file: '-', line: 3 };
const item: RequestRow = {
  row: { kind: 'item', ...place, content: { text: 'tea' } },
  model: { guard, threshold: 0.25, name: 'starter:strict' },
  nameless: false,
  request: 1,
};
const fault = { message: 'no JSON', status: null, code: 'invalid_json_line', param: null };
const reject: RequestRow = {
  row: { kind: 'reject', ...place, rejectKind: 'request', reason: 'no JSON', fault },
  fault,
  nameless: true,
  request: 1,
};
const row = (change: Partial<ExportRow> = {}): ExportRow => ({
  seq: 1,
  key: 'a',
  truncated: true,
  score: null,
  tokens: 3,
  error: null,
  reject: null,
  json: null,
  ...change,
});
const answer = (request: RequestRow, given: ExportRow | undefined): unknown =>
  answerRow(request, given, 'batch_expired');
const failed = (error: string, status: number | null, code: string): unknown =>
  expect.objectContaining({ error, answer: { fault: expect.objectContaining({ status, code }) as unknown } });

test('a score is judged by the model of its request', () => {
  expect(answer(item, row({ score: 0.25 }))).toEqual({
    key: 'a',
    score: 0.25,
    harmful: true,
    threshold: 0.25,
    truncated: true,
    answer: { model: 'starter:strict' },
  });
});

test('what was not scored says why', () => {
  const late = 'This request could not be executed before the completion window expired.';
  expect(answer(item, row())).toEqual(failed(late, null, 'batch_expired'));
  expect(answer(item, undefined)).toEqual(failed(late, null, 'batch_expired'));
  expect(answer(item, row({ error: 'NaN' }))).toEqual(failed('NaN', 500, 'no_score'));
  expect(answer(item, row({ reject: 'no text' }))).toEqual(failed('no text', 400, 'invalid_value'));
});

test('a line without a custom_id is known by its number, whether the run came to it or not', () => {
  const expected = { key: 'a', error: 'no JSON', unreadable: true, answer: { fault, line: 3 } };
  expect(answer(reject, row({ reject: 'no JSON' }))).toEqual(expected);
  expect(answer(reject, undefined)).toEqual(expected);
});

test('a policy that is gone has no threshold', () => {
  const { model: _, ...judged } = item;
  expect(answer(judged, row({ score: 0.5 }))).toEqual(failed('no score was stored', 500, 'no_score'));
});

const requestAt = (seq: number): RequestRow => ({
  row: { kind: 'item', seq, key: `${seq}`, file: '-', line: seq, content: { text: 'tea' } },
  nameless: false,
  request: seq,
});
const rowAt = (seq: number): ExportRow => ({
  seq,
  key: `${seq}`,
  truncated: false,
  score: 0.5,
  tokens: 1,
  error: null,
  reject: null,
  json: null,
});

async function* pages<T>(...given: T[][]): AsyncGenerator<T[]> {
  yield* given;
}

async function join(requests: number[][], rows: number[][]): Promise<unknown[]> {
  const found: unknown[] = [];
  const asked = pages(...requests.map((page) => page.map(requestAt)));
  for await (const page of zipRows(asked, pages(...rows.map((one) => one.map(rowAt)))))
    found.push(page.map((joint) => [joint.request.row.seq, joint.row?.seq]));
  return found;
}

test('pages of any length are joined; what the run did not come to has no row', async () => {
  expect(await join([[1, 2], [3, 4], [5]], [[1], [2, 3, 4]])).toEqual([
    [
      [1, 1],
      [2, 2],
    ],
    [
      [3, 3],
      [4, 4],
    ],
    [[5, undefined]],
  ]);
  expect(await join([], [[1]])).toEqual([]);
});

test('rows of another file are a defect', async () => {
  await expect(join([[1, 2]], [[1, 3]])).rejects.toThrow('row 3 of the run does not match row 2');
});
