import { expect, test } from 'vitest';
import { Turns } from './turns.js';

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
