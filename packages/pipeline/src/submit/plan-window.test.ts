import type { CorpusRow } from '@tocsin/corpus';
import type { Content } from '@tocsin/engine';
import type { KnownContent } from '@tocsin/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutParcels, planWindow } from './plan-window.js';

const POSITION = { runId: 7, guardId: 3, rows: 100, texts: false };

const contentOf = (word: string): Content => ({
  hash: Buffer.from(word.padEnd(32)),
  tokenIds: Int32Array.from(word, (letter) => letter.codePointAt(0) ?? 0),
  truncated: word.length > 5,
});

/** Rows of the given words; an undefined one is a reject. */
function plan(words: (string | undefined)[], known: KnownContent[] = []) {
  const rows = words.map((word, i): CorpusRow => {
    const place = { seq: 101 + i, key: `row-${101 + i}`, file: 'corpus.jsonl', line: 101 + i };
    return word === undefined
      ? { kind: 'reject', ...place, rejectKind: 'json', reason: 'The line is not JSON.' }
      : { kind: 'item', ...place, content: { text: word } };
  });
  const contents = words.map((word) => (word === undefined ? undefined : contentOf(word)));
  return planWindow(POSITION, rows, contents, known);
}

const known = (
  word: string,
  state: KnownContent['state'],
  runId: number | null = 1,
  parcelId = 5,
): KnownContent => ({
  hash: contentOf(word).hash,
  state,
  parcelId,
  runId,
});

const parcelled = (window: ReturnType<typeof plan>): string[] =>
  window.parcels.flatMap(({ hashes }) => hashes.map((hash) => String(hash).trimEnd())).toSorted();

test('a content that nobody knows goes into a parcel once, however many rows have it', () => {
  const window = plan(['tea', 'bread', 'tea', undefined, 'tea', 'garden']);
  expect(parcelled(window)).toEqual(['bread', 'garden', 'tea']);
  expect(window.counts).toEqual({ fresh: 3, known: 0, duplicates: 2, rejected: 1 });
  expect(window).toMatchObject({ runId: 7, guardId: 3, afterRows: 100, stranded: [] });
});

test('every row is an item, rejects too, in the order of the corpus', () => {
  expect(plan(['tea', undefined, 'garden']).items).toEqual([
    { seq: 101, key: 'row-101', content: contentOf('tea').hash, truncated: false, reject: null },
    {
      seq: 102,
      key: 'row-102',
      content: null,
      truncated: false,
      reject: 'corpus.jsonl, line 102: The line is not JSON.',
    },
    { seq: 103, key: 'row-103', content: contentOf('garden').hash, truncated: true, reject: null },
  ]);
});

test('a content that has a score costs nothing', () => {
  const window = plan(['tea', 'tea', 'bread'], [known('tea', 'scored'), known('bread', 'scored', null)]);
  expect(window.parcels).toEqual([]);
  expect(window.counts).toEqual({ fresh: 0, known: 3, duplicates: 0, rejected: 0 });
});

test('a content that another run has in a parcel needs no second one, and is waited for', () => {
  const window = plan(['tea', 'tea', 'bread'], [known('tea', 'claimed')]);
  expect(parcelled(window)).toEqual(['bread']);
  expect(window.counts).toEqual({ fresh: 2, known: 0, duplicates: 1, rejected: 0 });
});

test('parcels that a cancelled run left behind are taken up, each once', () => {
  const window = plan(
    ['tea', 'bread', 'garden', 'tea'],
    [known('tea', 'stranded'), known('bread', 'stranded'), known('garden', 'stranded', 2, 9)],
  );
  expect(window.parcels).toEqual([]);
  expect(window.stranded).toEqual([5, 9]);
  expect(window.counts).toEqual({ fresh: 3, known: 0, duplicates: 1, rejected: 0 });
});

test.each(['claimed', 'scored', 'stranded'] as const)(
  "a content of the run's own earlier window (%s) is a repeated row",
  (state) => {
    const window = plan(['tea'], [known('tea', state, POSITION.runId)]);
    expect(window.parcels).toEqual([]);
    expect(window.counts).toEqual({ fresh: 0, known: 0, duplicates: 1, rejected: 0 });
  },
);

test('texts are stored as one line of JSON, those of rows that can be scored, and only when they are to be', () => {
  const rows: CorpusRow[] = [
    { kind: 'item', seq: 1, key: '1', file: '-', line: 1, content: { prompt: 'a\nb', response: '\0' } },
    {
      kind: 'reject',
      seq: 2,
      key: '2',
      file: '-',
      line: 2,
      rejectKind: 'json',
      reason: 'The line is not JSON.',
    },
  ];
  const jsonOf = (texts: boolean): (string | undefined)[] =>
    planWindow({ ...POSITION, texts }, rows, [contentOf('a'), undefined], []).items.map(({ json }) => json);
  expect(jsonOf(true)).toEqual(['{"prompt":"a\\nb","response":"\\u0000"}', undefined]);
  expect(jsonOf(false)).toEqual([undefined, undefined]);
});

const contentsOf = (lengths: number[]): Content[] =>
  lengths.map((length, i) => ({
    hash: Buffer.from(String(i).padEnd(32)),
    tokenIds: new Int32Array(length).fill(i),
    truncated: false,
  }));

const lengthsOf = (lengths: number[], limits?: { tokens: number; contents: number }): number[][] =>
  cutParcels(contentsOf(lengths), limits).map(({ tokenIds }) => tokenIds.map((ids) => ids.length));

test('nearly one length a parcel, each as full as the limits allow', () => {
  expect(lengthsOf([1, 6, 2, 3, 5, 1], { tokens: 8, contents: 100 })).toEqual([[1, 1, 2, 3], [5], [6]]);
  expect(lengthsOf([1, 1, 1, 1, 1], { tokens: 8, contents: 2 })).toEqual([[1, 1], [1, 1], [1]]);
});

test('a content longer than the limit is a parcel of its own', () => {
  expect(lengthsOf([3, 20, 4], { tokens: 8, contents: 100 })).toEqual([[3, 4], [20]]);
  expect(lengthsOf([20], { tokens: 8, contents: 100 })).toEqual([[20]]);
});

test('no contents, no parcels', () => {
  expect(cutParcels([])).toEqual([]);
});

test('every content is in exactly one parcel, beside its own token ids, and no limit is passed', () => {
  const limits = { tokens: 50, contents: 5 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 60 }), (lengths) => {
      const contents = contentsOf(lengths);
      const parcels = cutParcels(contents, limits);
      const cut = parcels.flatMap(({ hashes, tokenIds }) =>
        hashes.map((hash, i) => ({ hash, tokenIds: tokenIds[i], truncated: false })),
      );
      const byHash = (a: { hash: Buffer }, b: { hash: Buffer }): number => Buffer.compare(a.hash, b.hash);
      expect(cut.toSorted(byHash)).toEqual(contents.toSorted(byHash));
      for (const { tokenIds } of parcels) {
        const tokens = tokenIds.reduce((sum, ids) => sum + ids.length, 0);
        expect(tokenIds.length === 1 || tokens <= limits.tokens).toBe(true);
        expect(tokenIds.length).toBeLessThanOrEqual(limits.contents);
      }
    }),
  );
});
