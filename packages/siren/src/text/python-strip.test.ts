import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pythonLstrip, pythonRstrip, pythonStrip } from './python-strip.js';

test.each([
  ['  a b \n', undefined, 'a b'],
  ['\ufeffa\ufeff', undefined, '\ufeffa\ufeff'],
  ['\x1c\x85a\x1f\u3000', undefined, 'a'],
  ['\n a \n', '\n', ' a '],
  ['xyaxyx', 'xy', 'a'],
  ['🙂a🙂🙂', '🙂', 'a'],
  ['🙃a', '🙂', '🙃a'],
  ['   ', undefined, ''],
  ['aaa', 'a', ''],
  ['', 'a', ''],
  ['abc', '', 'abc'],
])('%j stripped of %j is %j', (text, characters, stripped) => {
  expect(pythonStrip(text, characters)).toBe(stripped);
});

test('each side by itself', () => {
  expect(pythonLstrip('\n\n a\n', '\n')).toBe(' a\n');
  expect(pythonRstrip('\n a \n\n', '\n')).toBe('\n a ');
});

test('left then right is right then left is both', () => {
  const text = fc.string({ unit: fc.constantFrom(' ', '\n', 'a', '🙂', '\ufeff', '\x85') });
  fc.assert(
    fc.property(text, fc.option(text, { nil: undefined }), (whole, characters) => {
      const both = pythonStrip(whole, characters);
      expect(pythonLstrip(pythonRstrip(whole, characters), characters)).toBe(both);
      expect(pythonRstrip(pythonLstrip(whole, characters), characters)).toBe(both);
    }),
  );
});
