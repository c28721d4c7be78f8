import type { ExportRow } from '@tocsin/store';
import { expect, test } from 'vitest';
import { answerRow } from './answer-row.js';
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
