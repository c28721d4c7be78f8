import { expect, test } from 'vitest';
import { agreement } from './agreement.js';

type Pair = [boolean, boolean];
const times = (count: number, pair: Pair): Pair[] => Array.from({ length: count }, () => pair);

test('textbook example: 20 and 15 agreed, 5 and 10 not, gives 0.4', () => {
  const pairs = [
    ...times(20, [true, true]),
    ...times(5, [true, false]),
    ...times(10, [false, true]),
    ...times(15, [false, false]),
  ];
  const { kappa, ...counts } = agreement(pairs);
  expect(counts).toEqual({ pairs: 50, agreed: 35 });
  expect(kappa).toBeCloseTo(0.4, 12);
});

test('1 on full agreement, below 0 when worse than chance, undefined without information', () => {
  expect(agreement([...times(2, [true, true]), ...times(3, [false, false])]).kappa).toBe(1);
  expect(agreement([...times(2, [true, false]), ...times(2, [false, true])]).kappa).toBe(-1);
  expect(agreement([])).toEqual({ pairs: 0, agreed: 0, kappa: undefined });
  expect(agreement(times(4, [true, true]))).toEqual({ pairs: 4, agreed: 4, kappa: undefined });
});
