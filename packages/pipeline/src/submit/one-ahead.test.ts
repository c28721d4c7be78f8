import { describe, expect, it } from 'vitest';
import { oneAhead } from './one-ahead.js';

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

describe('oneAhead', () => {
  it('makes the next value while the consumer has this one', async () => {
    const log: string[] = [];
    for await (const value of oneAhead(numbers(log))) log.push(`take ${value}`);
    expect(log.indexOf('make 2')).toBeLessThan(log.indexOf('take 1'));
    expect(log.filter((line) => line.startsWith('take'))).toEqual(['take 1', 'take 2', 'take 3', 'take 4']);
  });

  it('gives every value before the error that follows it', async () => {
    const taken: number[] = [];
    const consume = async (): Promise<void> => {
      for await (const value of oneAhead(numbers([], 3))) taken.push(value);
    };
    await expect(consume()).rejects.toThrow('no 3');
    expect(taken).toEqual([1, 2]);
  });

  it('closes its source when the consumer leaves, and an error that nobody asked for is no crash', async () => {
    const log: string[] = [];
    for await (const _ of oneAhead(numbers(log, 2))) break;
    expect(log).toEqual(['make 1', 'closed']);
  });
});
