import { expect, test } from 'vitest';
import { Admission, BusyError, Turns } from './admission.js';

const LIMITS = { items: 20, tokens: 1_000, clientItems: 10, clientTokens: 400 };

/** The message of the refusal. */
function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(BusyError);
    expect((error as BusyError).retryAfter).toBeGreaterThanOrEqual(1);
    expect((error as BusyError).retryAfter).toBeLessThanOrEqual(30);
    return (error as Error).message;
  }
  throw new Error('it was let in');
}

test('a client is refused when its items are too many, and let in again once some are answered', () => {
  const admission = new Admission(LIMITS);
  const first = admission.admit('a', 8);
  expect(refused(() => admission.admit('a', 3))).toBe(
    'too many interactive requests: 8 items of this key are pending, and 10 may be',
  );
  admission.admit('a', 2);
  expect(refused(() => admission.requireRoom('a'))).toContain('10 items of this key');
  admission.requireRoom('b');
  first.release(true);
  admission.admit('a', 8);
  expect(admission.pending).toEqual({ items: 10, tokens: 0 });
});

test('tokens are counted when they are known', () => {
  const admission = new Admission(LIMITS);
  const first = admission.admit('a', 1);
  first.count(399);
  const second = admission.admit('a', 1);
  expect(refused(() => second.count(2))).toBe(
    'too many interactive requests: 399 tokens of this key are pending, and 400 may be',
  );
  second.release(false);
  second.release(false);
  expect(admission.pending).toEqual({ items: 1, tokens: 399 });
  first.release(true);
  expect(admission.pending).toEqual({ items: 0, tokens: 0 });
});

test('a request larger than the bounds is let in when its client has nothing pending', () => {
  const admission = new Admission(LIMITS);
  const ticket = admission.admit('a', 50);
  ticket.count(5_000);
  expect(refused(() => admission.admit('a', 1))).toContain('50 items of this key are pending');
});

test('when all together have too much, who has less than its share is still let in', () => {
  const admission = new Admission({ ...LIMITS, clientItems: 15 });
  admission.admit('a', 15);
  admission.admit('b', 4);
  expect(refused(() => admission.admit('a', 2))).toContain('15 items of this key are pending');
  expect(refused(() => admission.admit('b', 7))).toBe(
    'too many interactive requests: 19 items are pending, and 20 may be',
  );
  admission.admit('b', 2);
  admission.admit('c', 1);
});

const all = <T>(turns: Turns<T>): T[] => {
  const taken: T[] = [];
  for (let next = turns.take(); next !== undefined; next = turns.take()) taken.push(next);
  return taken;
};

test('clients take turns, each in its own order, and one that comes late waits for one round only', () => {
  const turns = new Turns<string>();
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) turns.add('a', name);
  for (const name of ['b1', 'b2']) turns.add('b', name);
  expect([turns.take(), turns.take(), turns.take()]).toEqual(['a1', 'b1', 'a2']);
  turns.add('c', 'c1');
  expect(all(turns)).toEqual(['b2', 'a3', 'c1', 'a4', 'a5']);
  turns.add('a', 'a6');
  expect(all(turns)).toEqual(['a6']);
});

test('nothing is lost or doubled among many', () => {
  const turns = new Turns<number>();
  const taken: number[] = [];
  for (let i = 0; i < 30_000; i++) {
    turns.add(`client ${i % 7}`, i);
    if (i % 3 === 0) taken.push(turns.take() ?? -1);
  }
  taken.push(...all(turns));
  expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30_000 }, (_, i) => i));
});
