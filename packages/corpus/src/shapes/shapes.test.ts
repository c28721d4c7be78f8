import { Readable } from 'node:stream';
import type { ShapeName } from '@tocsin/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CorpusRow } from '../rows/row.js';
import { readRows } from '../testing/read-rows.js';
import { readRequestKey, requestKey } from './request.js';

async function read(shape: ShapeName, records: unknown[]): Promise<CorpusRow[]> {
  const stdin = Readable.from(records.map((record) => Buffer.from(`${JSON.stringify(record)}\n`)));
  return readRows('-', { shape, stdin });
}

const outcome = (row: CorpusRow): unknown[] => [row.key, row.kind === 'item' ? row.content : row.reason];

const user = (content: unknown): object => ({ role: 'user', content });
const assistant = (content: unknown): object => ({ role: 'assistant', content });

describe('openai-chat', () => {
  const chat = async (record: object): Promise<unknown> => {
    const [row] = await read('openai-chat', [record]);
    return row?.kind === 'item' ? row.content : row?.reason;
  };

  test('the prompt is the last message of the user, the response what the assistant said after it', async () => {
    const messages = [
      { role: 'system', content: 's' },
      user('first'),
      assistant('one'),
      user('second'),
      assistant('two'),
      { role: 'tool', content: 't' },
      assistant('three'),
    ];
    expect(await chat({ messages })).toEqual({ prompt: 'second', response: 'two\nthree' });
    expect(await chat({ messages: messages.slice(0, 4) })).toEqual({ prompt: 'second' });
    expect(await chat({ messages: [assistant('hello')] })).toEqual({ response: 'hello' });
  });

  test('parts that are texts are joined, others left out; a refusal is an answer', async () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    const parts = [{ type: 'text', text: 'a' }, image, { type: 'text', text: 'b' }];
    expect(await chat({ messages: [user(parts), assistant([{ type: 'refusal', refusal: 'no' }])] })).toEqual({
      prompt: 'a\nb',
      response: 'no',
    });
    expect(
      await chat({ messages: [user([image]), { role: 'assistant', content: null, refusal: 'no' }] }),
    ).toEqual({
      response: 'no',
    });
  });

  test.each([
    ['a request of a batch', { custom_id: 'x', body: { messages: [user('p')] } }, { prompt: 'p' }],
    [
      'a stored completion',
      { request: { messages: [user('p')] }, response: { choices: [{ message: assistant('r') }] } },
      { prompt: 'p', response: 'r' },
    ],
    [
      'a logged call',
      {
        request: { body: { messages: [user('p')] } },
        response: { body: { choices: [{ message: assistant('r') }, { message: assistant('other') }] } },
      },
      { prompt: 'p', response: 'r' },
    ],
    [
      'messages with the choices beside',
      { messages: [user('p')], choices: [{ message: assistant('r') }] },
      { prompt: 'p', response: 'r' },
    ],
  ])('%s is read', async (_name, record, content) => {
    expect(await chat(record)).toEqual(content);
  });

  test('the key is the id, else the custom_id, else the line', async () => {
    const messages = [user('p')];
    const rows = await read('openai-chat', [
      { id: 'a', custom_id: 'b', messages },
      { custom_id: 'b', messages },
      { messages },
    ]);
    expect(rows.map(({ key }) => key)).toEqual(['a', 'b', 'line:3']);
  });

  test.each([
    [{}, 'The row has no chat'],
    [{ messages: 'x' }, 'The messages of the chat are a string'],
    [{ messages: [] }, 'The chat has no text'],
    [
      { messages: [{ role: 'system', content: 's' }, null, 'x', user(7)] },
      'The chat has a message without a role',
    ],
    [{ messages: [{ role: 'narrator', content: 's' }, user('x')] }, 'a message of the role "narrator"'],
    [{ messages: [{ role: 'system', content: 's' }] }, 'was found, only "system"'],
    [{ messages: [user('\ud800')] }, 'half of a surrogate pair'],
  ])('%j is a reject', async (record, reason) => {
    expect(await chat(record)).toContain(reason);
  });
});

describe('openai-batch', () => {
  const request = (input: unknown, change: object = {}): object => ({
    custom_id: 'r',
    method: 'POST',
    url: '/v1/moderations',
    body: { model: 'omni-moderation-latest', input },
    ...change,
  });
  const rowsOf = async (...records: object[]): Promise<unknown[]> =>
    (await read('openai-batch', records)).map(outcome);

  test('a string is an item, an array one for each of its strings, parts are one text', async () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(
      await rowsOf(
        request('one'),
        request(['two', 'three'], { custom_id: 's' }),
        request(['four'], { custom_id: 't' }),
        request(parts, { custom_id: 'line:7' }),
      ),
    ).toEqual([
      ['r', { text: 'one' }],
      ['s[0/2]', { text: 'two' }],
      ['s[1/2]', { text: 'three' }],
      ['t[0/1]', { text: 'four' }],
      ['line:7[0/1]', { text: 'a\nb' }],
    ]);
  });

  test('a custom_id that stands in an earlier request makes one reject', async () => {
    const repeated = 'The "custom_id" stands in an earlier request too. [duplicate_custom_id: custom_id]';
    expect(await rowsOf(request('one'), request(['two', 'three']), request([]))).toEqual([
      ['r', { text: 'one' }],
      ['r', repeated],
      ['r', repeated],
    ]);
  });

  test.each([
    [{ url: '/v1/chat/completions' }, 'The request\'s "url" is another one; "/v1/moderations" was expected.'],
    [{ url: undefined }, 'The request\'s "url" is null'],
    [{ method: 'GET' }, 'The request\'s "method" is not "POST".'],
    [{ body: null }, 'The request\'s "body" is null'],
    [{ body: {} }, 'The "input" is null'],
    [{ body: { input: [] } }, 'The "input" is empty'],
    [{ body: { input: ['a', 7] } }, '"input[0]" is a string'],
    [{ body: { input: ['\ud800'] } }, 'half of a surrogate pair'],
    [
      {
        body: {
          input: [
            { type: 'text', text: 'a' },
            { type: 'image_url', image_url: {} },
          ],
        },
      },
      '"input[1]" is an image, and only texts can be scored.',
    ],
  ])('%j is one reject', async (change, reason) => {
    expect(await rowsOf(request('x', change), request('fine', { custom_id: 's' }))).toEqual([
      ['r', expect.stringContaining(reason)],
      ['s', { text: 'fine' }],
    ]);
  });

  test('a request without a custom_id is a reject with its line', async () => {
    expect(await rowsOf(request('x', { custom_id: undefined }))).toEqual([
      ['line:1', 'The request has no "custom_id". [missing_required_parameter: custom_id]'],
    ]);
  });

  test('a key tells its request and place, whatever the custom_id looks like', () => {
    const customId = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', '[', ']', '/', '0', '1') }),
    );
    const place = fc.oneof(
      fc.constant({ index: undefined, count: 1 }),
      fc.record({ index: fc.nat(9), count: fc.integer({ min: 10, max: 20 }) }),
    );
    fc.assert(
      fc.property(customId, place, (id, { index, count }) => {
        const found = readRequestKey(requestKey({ customId: id, index, count }));
        expect({ ...found, index: found.index ?? 0 }).toEqual({ customId: id, index: index ?? 0, count });
      }),
    );
  });
});
