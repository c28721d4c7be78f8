import { UserError } from '@tocsin/core';
import type { CorpusRow } from '@tocsin/corpus';
import type { Content } from '@tocsin/engine';
import { describe, expect, it, test } from 'vitest';
import { prefetch, prepareWindow } from './submit-corpus.js';

const content: Content = { tokenIds: Int32Array.of(1), hash: Buffer.alloc(32), truncated: false };
const item = (seq: number, text: string): CorpusRow => ({
  kind: 'item',
  seq,
  key: `row-${seq}`,
  file: 'corpus.jsonl',
  line: seq,
  content: { text },
});

test('rows that cannot be prepared become rejects with their place and reason; the others keep their order', async () => {
  const broken: CorpusRow = {
    ...item(2, ''),
    kind: 'reject',
    rejectKind: 'json',
    reason: 'The line is not JSON.',
  };
  const rows = [item(1, 'tea'), broken, item(3, 'refused'), item(4, 'bread')];
  const asked: unknown[] = [];
  const { window, contents } = await prepareWindow(
    {
      contentsOf: async (items) => {
        asked.push(...items);
        return items.map((given) =>
          Object.values(given).includes('refused') ? new UserError('no text') : content,
        );
      },
    },
    rows,
  );
  expect(asked).toEqual([{ text: 'tea' }, { text: 'refused' }, { text: 'bread' }]);
  expect(window).toEqual([
    rows[0],
    broken,
    {
      kind: 'reject',
      seq: 3,
      key: 'row-3',
      file: 'corpus.jsonl',
      line: 3,
      rejectKind: 'guard',
      reason: 'No text.',
    },
    rows[3],
  ]);
  expect(contents).toEqual([content, undefined, undefined, content]);
});

async function* numbers(log: string[], failAt = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  try {
    for (let i = 1; i <= 4; i++) {
      if (i === failAt) throw new Error(`no ${i}`);
      log.push(`make ${i}`);
      yield i;
    }
  } finally {
    log.push('closed');
  }
}

describe('prefetch', () => {
  it('makes the next value while the consumer has this one', async () => {
    const log: string[] = [];
    for await (const value of prefetch(numbers(log))) log.push(`take ${value}`);
    expect(log.indexOf('make 2')).toBeLessThan(log.indexOf('take 1'));
    expect(log.filter((line) => line.startsWith('take'))).toEqual(['take 1', 'take 2', 'take 3', 'take 4']);
  });

  it('gives every value before the error that follows it', async () => {
    const taken: number[] = [];
    const consume = async (): Promise<void> => {
      for await (const value of prefetch(numbers([], 3))) taken.push(value);
    };
    await expect(consume()).rejects.toThrow('no 3');
    expect(taken).toEqual([1, 2]);
  });

  it('closes its source when the consumer leaves, and an error that nobody asked for is no crash', async () => {
    const log: string[] = [];
    for await (const _ of prefetch(numbers(log, 2))) break;
    expect(log).toEqual(['make 1', 'closed']);
  });
});
