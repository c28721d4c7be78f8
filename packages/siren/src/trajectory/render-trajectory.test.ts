import { UserError } from '@tocsin/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChatTemplate } from './chat-template.js';
import { renderTrajectory, type TrajectoryInput } from './render-trajectory.js';

const PLAIN = new ChatTemplate({
  template: '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}',
  specialTokens: {},
});
const render = (messages: TrajectoryInput['messages'], tools?: TrajectoryInput['tools']): string =>
  renderTrajectory(PLAIN, { messages, tools });

const ASK = { role: 'user', content: 'Bake.' };
const call = (call: unknown) => ({ role: 'assistant', tool_calls: [{ name: 'a' }, call] });
const tool = (parameters: unknown) => [{ name: 'a' }, { function: { name: 'bake', parameters } }];

test.each<[string, unknown, unknown, string]>([
  ['a message that is none', [ASK, 'hello'], null, 'message 1 is a string; an object was expected'],
  ['no role', [{ content: 'x' }], null, 'message 0 has no role; system, developer, user, assistant, tool'],
  ['an unknown role', [ASK, { role: 'human' }], null, 'message 1 has the role "human"; system, developer'],
  ['a role that could be a text', [{ role: 'a b' }], null, 'message 0 has a role that is unknown'],
  ['a role that is none', [{ role: 5 }], null, 'message 0 has a role that is a number'],
  [
    'content of another kind',
    [{ role: 'user', content: { a: 1 } }],
    null,
    'message 0: content is an object; a string or',
  ],
  [
    'a part without a text',
    [{ role: 'user', content: ['x', { type: 'text', text: 5 }] }],
    null,
    'message 0: content[1].text is a number; a string was expected',
  ],
  [
    'calls that are no list',
    [{ role: 'assistant', tool_calls: { a: 1 } }],
    null,
    'message 0: tool_calls is an object',
  ],
  [
    'a call that is none',
    [ASK, call('x')],
    null,
    'message 1: tool_calls[1] is a string; an object was expected',
  ],
  [
    'a call of nothing',
    [call({ function: null })],
    null,
    'message 0: tool_calls[1].function is null; an object',
  ],
  ['a tool that is none', [ASK], [{}, 'bake'], 'tool 1 is a string; an object was expected'],
  [
    'two types',
    [ASK],
    tool({ x: { type: ['a', 'b'] } }),
    'tool 1: parameters, "x": type is an array; a string',
  ],
  [
    'a name that could be a text',
    [ASK],
    tool({ 'a b': { type: 1 } }),
    'tool 1: parameters, parameter 0: type is a number',
  ],
  [
    'a description of another kind',
    [ASK],
    [{ description: [1] }],
    'tool 0: description is an array; a string',
  ],
  ['messages that are none', { a: 1 }, null, 'messages is an object; an array was expected'],
  ['no messages', undefined, null, 'messages is of type undefined; an array was expected'],
  [
    'a text for messages',
    'hello',
    null,
    'messages is no JSON that can be read: at character 1 a value was expected',
  ],
  ['tools that are none', [ASK], 'true', 'tools is true or false; an array was expected'],
  [
    'a number that JSON has not',
    [ASK],
    [{ a: Number.NaN }],
    'tools contains NaN as "a"; give it as JSON text to keep it',
  ],
  ['a value that JSON has not', [{ role: 5n }], null, 'messages cannot be written as JSON'],
  ['nothing', [], [], 'the trajectory is empty: it has neither messages nor tools'],
  ['half a character', [{ role: 'user', content: '\ud83d' }], null, 'contains an unpaired surrogate'],
])('%s is refused, with its place', (_what, messages, tools, message) => {
  const rendering = () => render(messages as unknown[], tools as unknown[]);
  expect(rendering).toThrow(UserError);
  expect(rendering).toThrow(message);
});

test('nesting that Python cannot read is refused, in messages and in arguments', () => {
  const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const args = (json: string) => [call({ name: 'a', arguments: json })];
  expect(() => render(`[${deep(5000)}]`)).toThrow(
    'messages is no JSON that can be read: it is nested deeper than 900',
  );
  expect(() => render(args(deep(5000)))).toThrow(
    'message 0: tool_calls[1]: arguments: it is nested deeper than 900',
  );
  expect(render(args(deep(800)))).toContain(deep(800));
});

test('an array means what JSON.stringify makes of it; JSON text keeps more', () => {
  const tools = [{ parameters: { x: { default: 1.0 }, 2: { default: null, type: undefined } } }];
  expect(render([ASK], tools)).toBe(render(JSON.stringify([ASK]), JSON.stringify(tools)));
  expect(render([ASK], [{ parameters: { x: { default: 1.0 } } }])).toContain('x (default 1)');
  expect(render([ASK], '[{"parameters": {"x": {"default": 1.0}, "2": {}}}]')).toContain(
    'x (default 1.0)\n  - 2<user>',
  );
});

test('whatever JSON a trajectory is, it is rendered or it is a UserError that quotes none of it', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const message = fc.record(
    {
      role: fc.oneof(fc.constantFrom('user', 'assistant', 'tool', 'system'), json),
      content: fc.oneof(fc.string(), json),
      tool_calls: fc.oneof(json, fc.array(fc.record({ function: json }, { requiredKeys: [] }))),
    },
    { requiredKeys: [] },
  );
  const tool = fc.record(
    {
      name: json,
      description: json,
      parameters: fc.dictionary(fc.string(), fc.record({ type: json, default: json })),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(message, json)), fc.array(fc.oneof(tool, json)), (messages, tools) => {
      try {
        expect(typeof render(JSON.stringify(messages), JSON.stringify(tools))).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 1000 },
  );
});
