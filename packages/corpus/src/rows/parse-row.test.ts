import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveFields } from './fields.js';
import { type ParsedRow, parseRow } from './parse-row.js';

const parse = (line: string | Buffer, fields = {}): ParsedRow =>
  parseRow(Buffer.from(line), resolveFields(fields));
const reasonOf = (line: string | Buffer, fields = {}): string | undefined => {
  const parsed = parse(line, fields);
  return 'reason' in parsed ? parsed.reason : undefined;
};

describe('content', () => {
  test.each([
    ['{"text": "hello"}', { text: 'hello' }],
    ['{"text": ""}', { text: '' }],
    ['{"text": "a\\u0000b"}', { text: 'a\0b' }],
    ['{"text": "\\ud83d\\ude42"}', { text: '🙂' }],
    ['{"text": "\ufffd"}', { text: '\ufffd' }],
    ['{"prompt": "p", "response": "r"}', { prompt: 'p', response: 'r' }],
    ['{"prompt": "p", "response": null}', { prompt: 'p' }],
    ['{"response": "r"}', { response: 'r' }],
    ['{"prompt": ""}', { prompt: '' }],
    ['{"text": "t", "prompt": null, "response": null}', { text: 't' }],
    ['{"text": null, "prompt": "p"}', { prompt: 'p' }],
    [' {"text": "a", "text": "b", "other": {"deep": [1]}} ', { text: 'b' }],
  ])('%s', (line, content) => {
    expect(parse(line)).toEqual({ key: undefined, content });
  });

  test('fields may have other names, a prototype member among them', () => {
    expect(parse('{"body": "b"}', { text: 'body' })).toEqual({ key: undefined, content: { text: 'b' } });
    expect(parse('{"prompt": "b"}', { text: 'prompt' })).toEqual({ key: undefined, content: { text: 'b' } });
    expect(parse('{"__proto__": "b"}', { text: '__proto__' })).toEqual({
      key: undefined,
      content: { text: 'b' },
    });
    expect(reasonOf('{"x": 1}', { text: 'constructor' })).toContain('no text to score');
  });
});

describe('trajectories', () => {
  test.each([
    ['{"messages": []}', { messages: '[]' }],
    [
      '{"messages": [ {"role":"user", "n": 1.0} ] , "tools": null}',
      { messages: '[ {"role":"user", "n": 1.0} ]' },
    ],
    ['{"tools": [{"2": 1, "1": 1e2}],"messages":[1]}', { messages: '[1]', tools: '[{"2": 1, "1": 1e2}]' }],
    ['{"messages": [1], "messages": [2], "tools": "x"}', { messages: '[2]', tools: '"x"' }],
    ['{"messages": null, "text": "t", "tools": [1]}', { text: 't' }],
  ])('%s keeps the JSON as it stands', (line, content) => {
    expect(parse(line)).toEqual({ key: undefined, content });
  });

  test('fields may have other names', () => {
    const line = '{"id": "k", "chat": [1], "functions": [2], "tools": [3], "messages": [4]}';
    expect(parse(line, { messages: 'chat', tools: 'functions' })).toEqual({
      key: 'k',
      content: { messages: '[1]', tools: '[2]' },
    });
    expect(parse('{"messages": "a text"}', { text: 'messages' })).toMatchObject({
      content: { text: 'a text' },
    });
  });

  test.each([
    ['{"messages": "secret"}', 'The field "messages" is a string; an array was expected.'],
    ['{"messages": {}}', 'The field "messages" is an object; an array was expected.'],
    [
      '{"messages": [], "text": "t"}',
      'The row has both "messages" and "text"; only one of them was expected.',
    ],
    [
      '{"messages": [], "prompt": "p", "response": 5}',
      'The row has both "messages" and "prompt" and "response"; only one of them was expected.',
    ],
  ])('%s is a reject', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });
});

describe('key', () => {
  test.each([
    ['"a b"', 'a b'],
    ['""', ''],
    ['7', '7'],
    ['1.50', '1.5'],
    ['1e3', '1000'],
    ['9007199254740993', '9007199254740993'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e999', '1e999'],
    ['0.12345678901234567891', '0.12345678901234567891'],
    ['1.50', '1.5'],
    ['null', undefined],
  ])('id %s gives %s', (id, key) => {
    expect(parse(`{"id": ${id}, "text": "t"}`)).toEqual({ key, content: { text: 't' } });
  });

  test.each([
    ['{"a": 1}', 'The id field "id" is an object; a string or a number was expected.'],
    ['[1]', 'The id field "id" is an array; a string or a number was expected.'],
    ['true', 'The id field "id" is true or false; a string or a number was expected.'],
    ['"a\\u0000"', 'The id field "id" holds the character U+0000.'],
    ['"a\\ud800"', 'The id field "id" holds half of a surrogate pair, which is no character.'],
    [`"${'x'.repeat(1025)}"`, 'The id field "id" is 1,025 characters long, more than 1,024.'],
  ])('id %.20s is a reject', (id, reason) => {
    expect(reasonOf(`{"id": ${id}, "text": "t"}`)).toBe(reason);
  });

  test('a reject keeps its id when that is good', () => {
    expect(parse('{"id": "k"}')).toMatchObject({ key: 'k', reason: expect.any(String) });
  });
});

describe('reasons', () => {
  test.each([
    ['{"text": "secret', 'The line is not JSON at character 17: the line ends in the middle of a string.'],
    ['secret', 'The line is not JSON at character 1: a value was expected.'],
    [
      '["secret"]',
      'The line is an array; a JSON object with "text", or "prompt" and "response", or "messages" was expected.',
    ],
    [
      '"secret"',
      'The line is a string; a JSON object with "text", or "prompt" and "response", or "messages" was expected.',
    ],
    [
      'null',
      'The line is null; a JSON object with "text", or "prompt" and "response", or "messages" was expected.',
    ],
    ['{"text": 5}', 'The field "text" is a number; a string was expected.'],
    ['{"text": ["secret"]}', 'The field "text" is an array; a string was expected.'],
    [
      '{"prompt": "secret", "response": false}',
      'The field "response" is true or false; a string was expected.',
    ],
    ['{"text": "secret\\udc00"}', 'The field "text" holds half of a surrogate pair, which is no character.'],
    ['{"prompt": "\\ud83d"}', 'The field "prompt" holds half of a surrogate pair, which is no character.'],
    [
      '{"text": "secret", "response": "secret"}',
      'The row has both "text" and "response"; only one of them was expected.',
    ],
    [
      '{"text": 1, "prompt": "secret", "response": "secret"}',
      'The row has both "text" and "prompt" and "response"; only one of them was expected.',
    ],
    [
      '{}',
      'The row has no text to score: "text", or "prompt" and "response", or "messages" was expected, and it has no field.',
    ],
    [
      '{"body": "secret", "text": null}',
      'The row has no text to score: "text", or "prompt" and "response", or "messages" was expected, and it has "body", "text" (null).',
    ],
  ])('%s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });

  test('bytes that are no UTF-8 are named by their place', () => {
    const line = Buffer.concat([Buffer.from('{"text": "caf'), Buffer.from([0xe9]), Buffer.from('"}')]);
    expect(reasonOf(line)).toBe('The line is not UTF-8: byte 14 fits no character.');
  });

  test('at most eight field names, each clipped and safe to print', () => {
    const names = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, 1]));
    expect(reasonOf(JSON.stringify(names))).toMatch(/"f0", .*"f7" and 2 more\.$/);
    const long = reasonOf(JSON.stringify({ ['x'.repeat(500)]: 1 }));
    expect(long).toContain(`"${'x'.repeat(40)}…"`);
    expect(long?.length).toBeLessThan(200);
    const control = reasonOf('{"\\u0000\\u001b[2J\\u009b\\ud800": 1}');
    expect(control).toContain('"\\u0000\\u001b[2J?\\ud800"');
  });

  test('none quotes a value of the row, however it is broken', () => {
    const mark = 'QZXJ';
    const value = fc.oneof(fc.constant(mark), fc.constant([mark]), fc.constant({ a: mark }), fc.integer());
    const row = fc.dictionary(fc.constantFrom('text', 'prompt', 'response', 'id', 'other'), value);
    const line = fc.tuple(row, fc.nat()).map(([data, at]) => {
      const json = JSON.stringify(data);
      return json.slice(0, at % (json.length + 1));
    });
    fc.assert(
      fc.property(line, (text) => {
        expect(reasonOf(text) ?? '').not.toContain(mark);
      }),
    );
  });
});

test('whatever JSON.stringify writes is read back', () => {
  const text = fc.string({ unit: 'binary' });
  const row = fc.oneof(fc.record({ id: text, text }), fc.record({ id: text, prompt: text, response: text }));
  fc.assert(
    fc.property(row, ({ id, ...content }) => {
      fc.pre(!id.includes('\0'));
      expect(parse(JSON.stringify({ ...content, id }))).toEqual({ key: id, content });
    }),
  );
});
