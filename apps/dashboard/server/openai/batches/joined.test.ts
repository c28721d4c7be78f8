import type { ExportRow } from '@tocsin/store';
import { expect, test } from 'vitest';
import type { RequestRow } from './batch-requests.js';
import { joined } from './joined.js';

const request = (seq: number): RequestRow => ({
  row: { kind: 'item', seq, key: `${seq}`, file: '-', line: seq, content: { text: 'tea' } },
  nameless: false,
  request: seq,
});
const row = (seq: number): ExportRow => ({
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
  const asked = pages(...requests.map((page) => page.map(request)));
  for await (const page of joined(asked, pages(...rows.map((one) => one.map(row)))))
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
  await expect(join([[1, 2]], [[1, 3]])).rejects.toThrow('row 3 of the run stands beside row 2');
});
