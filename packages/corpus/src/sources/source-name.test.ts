import { expect, test } from 'vitest';
import { keyPrefixes } from './source-name.js';

test.each([
  [['a.jsonl'], ['']],
  [['-'], ['']],
  [
    ['x/a.jsonl', 'x/b.jsonl', '-'],
    ['a.jsonl:', 'b.jsonl:', 'stdin:'],
  ],
  [
    ['x/a.jsonl', 'y/a.jsonl'],
    ['x/a.jsonl:', 'y/a.jsonl:'],
  ],
])('%j', (sources, prefixes) => {
  expect(keyPrefixes(sources)).toEqual(prefixes);
});
