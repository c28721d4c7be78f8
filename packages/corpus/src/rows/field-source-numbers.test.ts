import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldSource } from './source-record.js';

test.each([
  ['{"id": 9007199254740993}', '9007199254740993'],
  ['{"a": {"id": 1}, "b": [{"id": 2}], "id" : -3e2 }', '-3e2'],
  ['{"id": 1, "id": 2}', '2'],
  ['{"i\\u0064": 7}', '7'],
  ['{"text": "\\"id\\": 5", "id": 6}', '6'],
  ['{"note": "id", "x": 1}', undefined],
  ['{"id": "7"}', '"7"'],
])('%s gives %s', (json, literal) => {
  expect(fieldSource(json, 'id')).toBe(literal);
});

test('finds every digit of an id among any other fields', () => {
  const fields = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 });
  fc.assert(
    fc.property(
      fields,
      fields,
      fc.string(),
      fc.bigInt(),
      fc.constantFrom(0, 2),
      (before, after, name, id, indent) => {
        delete after[name];
        const open = JSON.stringify(before, undefined, indent).replace(/\s*\}$/, '');
        const close = JSON.stringify(after, undefined, indent).replace(/^\{/, '');
        const comma = (part: object): string => (Object.keys(part).length > 0 ? ',' : '');
        const json = `${open}${comma(before)}${JSON.stringify(name)}: ${id}${comma(after)}${close}`;
        expect(fieldSource(json, name)).toBe(String(id));
      },
    ),
  );
});
