import { expect, test } from 'vitest';
import { sentence } from './sentence.js';

test.each([
  ['the key is not known', 'The key is not known.'],
  ['Make one: tocsin keys create', 'Make one: tocsin keys create.'],
  ['It is over.', 'It is over.'],
  ['items.3.text: too long', 'items.3.text: too long.'],
  ['really?', 'really?'],
  ['', ''],
])('%j is said as %j', (text, said) => {
  expect(sentence(text)).toBe(said);
});
