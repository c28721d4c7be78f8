import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BatchRules, batchRequests, type RequestRow, TooManyRequests } from './batch-requests.js';

const RULES: BatchRules = {
  guards: [
    { name: 'starter', threshold: 0.5, createdAt: new Date(0) },
    { name: 'other', threshold: 0.4, createdAt: new Date(0) },
  ],
  policies: [{ name: 'strict', threshold: 0.1 }],
};

const request = (custom_id: unknown, body: object = {}, change: object = {}): object => ({
  custom_id,
  method: 'POST',
  url: '/v1/moderations',
  body: { input: 'tea', ...body },
  ...change,
});

async function read(
  lines: readonly (object | string)[],
  rules: Partial<BatchRules> = {},
): Promise<RequestRow[]> {
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const rows: RequestRow[] = [];
  for await (const chunk of batchRequests(inPieces(text), { ...RULES, ...rules })) rows.push(...chunk);
  return rows;
}

async function* inPieces(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
}

const outcomes = async (...given: Parameters<typeof read>): Promise<unknown[]> =>
  (await read(...given)).map(({ row, fault, model }) => [
    row.key,
    model === undefined ? [fault?.status, fault?.code, fault?.param] : [model.name, model.threshold],
  ]);

describe('a batch has one guard', () => {
  test('that of its first request, with any policy', async () => {
    expect(
      await outcomes([
        request('a'),
        request('b', { model: 'strict' }),
        request('c', { model: 'starter:strict' }),
        request('d', { model: 'omni-moderation-latest' }),
        request('e', { model: 'other' }),
        request('f', { model: null }),
      ]),
    ).toEqual([
      ['a', ['starter', 0.5]],
      ['b', ['starter:strict', 0.1]],
      ['c', ['starter:strict', 0.1]],
      ['d', ['starter', 0.5]],
      ['e', [null, 'model_mismatch', 'body.model']],
      ['f', ['starter', 0.5]],
    ]);
  });

  test('when that is not the default, who names none means it all the same', async () => {
    expect(
      await outcomes([
        request('bad', { model: 'nothing' }),
        request('a', { model: 'other' }),
        request('b', { model: 'strict' }),
        request('c'),
        request('d', { model: 'starter' }),
      ]),
    ).toEqual([
      ['bad', [404, 'model_not_found', 'model']],
      ['a', ['other', 0.4]],
      ['b', ['other:strict', 0.1]],
      ['c', ['other', 0.4]],
      ['d', [null, 'model_mismatch', 'body.model']],
    ]);
  });
});

test('each kind of bad line has its code, and costs no other', async () => {
  const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
  const rows = await read([
    'no json',
    '[1]',
    request(undefined),
    request({}),
    request('url', {}, { url: '/v1/chat/completions' }),
    request('method', {}, { method: 'GET' }),
    request('body', {}, { body: 7 }),
    request('image', { input: [image] }),
    request('none', { input: undefined }),
    request('model', { model: 7 }),
    request('twice', { input: ['a', 'b'] }),
    request('twice', { input: ['c', 'd'] }),
    request(5),
  ]);
  expect(rows.map(({ fault, nameless, request }) => [request, fault?.status, fault?.code, nameless])).toEqual(
    [
      [1, null, 'invalid_json_line', true],
      [2, null, 'invalid_json_line', true],
      [3, null, 'missing_required_parameter', true],
      [4, null, 'invalid_value', true],
      [5, null, 'url_mismatch', false],
      [6, null, 'invalid_method', false],
      [7, 400, 'invalid_type', false],
      [8, 400, 'unsupported_value', false],
      [9, 400, 'missing_required_parameter', false],
      [10, 400, 'invalid_type', false],
      [11, undefined, undefined, false],
      [11, undefined, undefined, false],
      [12, null, 'duplicate_custom_id', false],
      [13, undefined, undefined, false],
    ],
  );
  expect(rows.map(({ row }) => row.seq)).toEqual(rows.map((_, i) => i + 1));
  expect(rows.filter(({ row }) => 'kept' in row)).toEqual([]);
});

test.each(['[]', '[', '{"custom_id":', '[{}]'])('the line %s is one request', async (line) => {
  const rows = await read([line]);
  expect(rows.map(({ fault, nameless }) => [fault?.code, nameless])).toEqual([['invalid_json_line', true]]);
});

test('too many requests are not read to their end', async () => {
  const lines = ['a', 'b', 'c'].map((id) => request(id, { input: ['x', 'y'] }));
  expect(await read(lines, { maxRequests: 3 })).toHaveLength(6);
  await expect(read(lines, { maxRequests: 2 })).rejects.toThrow(TooManyRequests);
});

test('whatever a file holds, each line is one request at least, and reading it again gives the same', async () => {
  const id = fc.oneof(fc.constantFrom('a', 'b', 'a[0/2]'), fc.string(), fc.integer(), fc.constant(null));
  const model = fc.constantFrom(undefined, 'strict', 'other', 'starter:strict', 'nothing', 7);
  const input = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 3 }), fc.jsonValue());
  const line = fc.oneof(
    fc
      .tuple(id, model, input)
      .map(([custom_id, name, given]) => request(custom_id, { model: name, input: given })),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      const rows = await read(lines);
      expect(await read(lines)).toEqual(rows);
      expect(new Set(rows.map(({ request }) => request)).size).toBe(lines.length);
      for (const { row, fault, model: judged } of rows) {
        expect(row.kind).toBe(fault === undefined ? 'item' : 'reject');
        expect(judged === undefined).toBe(fault !== undefined);
      }
    }),
    { numRuns: 50 },
  );
});
