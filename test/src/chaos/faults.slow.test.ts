import { expect, test } from 'vitest';
import { randomFrom } from '../setup/random-words.js';
import { FAULTS, faultOrder } from './faults.js';

function first(count: number, seed: number): string[] {
  const order = faultOrder(FAULTS, randomFrom(seed));
  return Array.from({ length: count }, () => String(order.next().value));
}

test('each kind of fault comes once before any comes again, in an order that the seed decides', () => {
  const kinds = FAULTS.length;
  for (let seed = 0; seed < 20; seed++) {
    const order = first(3 * kinds, seed);
    for (let round = 0; round < 3; round++)
      expect(new Set(order.slice(round * kinds, (round + 1) * kinds))).toEqual(new Set(FAULTS));
    expect(first(3 * kinds, seed)).toEqual(order);
  }
  expect(new Set(Array.from({ length: 20 }, (_, seed) => first(kinds, seed).join())).size).toBeGreaterThan(
    10,
  );
});
