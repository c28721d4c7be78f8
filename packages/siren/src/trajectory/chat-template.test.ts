import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { ChatTemplate, chatFormatOf } from './chat-template.js';

const FILE = 'dir/tokenizer_config.json';

test('a template, and the special tokens that are strings, objects or null', () => {
  const added = { __type: 'AddedToken', content: '<eos>', lstrip: false };
  const config = {
    chat_template: 'T',
    bos_token: '<bos>',
    eos_token: added,
    pad_token: null,
    model_max_length: 5,
  };
  expect(chatFormatOf(FILE, config)).toEqual({
    template: 'T',
    specialTokens: { bos_token: '<bos>', eos_token: '<eos>' },
  });
});

test('of several templates the default one; a file of its own wins', () => {
  const config = {
    chat_template: [
      { name: 'tool_use', template: 'A' },
      { name: 'default', template: 'B' },
    ],
  };
  expect(chatFormatOf(FILE, config).template).toBe('B');
  expect(chatFormatOf(FILE, config, 'C').template).toBe('C');
  expect(chatFormatOf(FILE, {}, 'C').template).toBe('C');
});

test.each<[string, unknown, string]>([
  ['no template', {}, `${FILE} has no chat_template, and there is no chat_template.jinja next to it`],
  ['no default', { chat_template: [{ name: 'rag', template: 'A' }] }, 'with one named "default"'],
  ['a template of another kind', { chat_template: 5 }, `${FILE}: chat_template must be a string`],
  ['a token of another kind', { chat_template: 'T', eos_token: 5 }, `${FILE}: eos_token must be a string`],
  ['no object', [], `${FILE} must contain a JSON object`],
])('%s is told', (_what, config, message) => {
  expect(() => chatFormatOf(FILE, config)).toThrow(UserError);
  expect(() => chatFormatOf(FILE, config)).toThrow(message);
});

const MESSAGES = [
  { role: 'system', content: 'S' },
  { role: 'assistant', content: 'A' },
  { role: 'user', content: ' \n U \n' },
] as const;
const render = (template: string): string =>
  new ChatTemplate({ template, specialTokens: {} }).render(MESSAGES);

test("strips are Python's, with the characters they are given", () => {
  const strips = ["strip('\\n ')", "lstrip('\\n ')", 'rstrip()', 'strip()'];
  for (const [i, expected] of ['U', 'U \n', ' \n U', 'U'].entries()) {
    expect(render(`{{ messages[2].content.${strips[i]} }}`)).toBe(expected);
  }
  expect(render("{{ '\\ufeff a \\x85' | trim }}".replace('\\ufeff', '\ufeff').replace('\\x85', '\x85'))).toBe(
    '\ufeff a',
  );
  expect(render("{% set t = messages[2]['content'] %}{{ (t | trim('\\n ')).strip('U') ~ '.' }}")).toBe('.');
});

test('what transformers passes is there, and the day is not', () => {
  expect(render('{{ tools is none }} {{ documents is none }} {{ add_generation_prompt }}')).toBe(
    'true true false',
  );
  expect(render('{{ strftime_now is defined }} {{ bos_token is defined }}')).toBe('false false');
  expect(
    render('{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(4, 0, -2) %}{{ i }}{% endfor %}'),
  ).toBe('01242');
});

test('blocks are trimmed as transformers has Jinja do it', () => {
  expect(render('  {% if true %}\n  x\r\n  {%- endif %}\n{# c #}\ny\n\n')).toBe('  xy\n');
});

test('a refused system message goes into the first user message, or stands for one', () => {
  const refuse = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}";
  const list = '{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}';
  const template = new ChatTemplate({ template: refuse + list, specialTokens: {} });
  expect(template.render(MESSAGES)).toBe('[assistant: A][user: S\n\n \n U \n]');
  expect(template.render(MESSAGES.slice(0, 2))).toBe('[user: S][assistant: A]');
});

test.each<[string, string, string]>([
  ['a range without end', '{{ range(1000000000) }}', 'range() of 1000000000 numbers; at most 100000'],
  [
    'loops in loops',
    '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}',
    'it needs more than',
  ],
  [
    'loops over a variable in loops',
    '{% set r = range(99999) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}',
    'it needs more than',
  ],
  [
    'a text that doubles',
    "{% set ns = namespace(s='abcd') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    'it makes a text of more than',
  ],
  ['an indent of a gigabyte', "{{ 'a\nb' | indent(1000000000) }}", 'fails on the conversation'],
  [
    'macros that call each other',
    '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
    'fails on the conversation',
  ],
])('%s is refused, and the process goes on', (_what, template, message) => {
  expect(() => render(template)).toThrow(UserError);
  expect(() => render(template)).toThrow(message);
});

test('ten thousand messages are rendered', () => {
  const list =
    '{% for m in messages %}{% if m.role == "user" %}[{{ m.content | trim }}]{% endif %}{% endfor %}';
  const messages = Array.from({ length: 10_000 }, () => ({ role: 'user', content: ' x ' }) as const);
  expect(new ChatTemplate({ template: list, specialTokens: {} }).render(messages)).toBe('[x]'.repeat(10_000));
});

test.each<[string, string, string]>([
  ['no Jinja', '{% if %}', 'the chat template cannot be read'],
  [
    'a filter block that strips',
    '{% filter trim %}a{% endfilter %}',
    'a {% filter trim %} block, which is not',
  ],
  [
    'one that always refuses',
    "{{ raise_exception('no') }}",
    "the backbone's chat template refuses the conversation: no",
  ],
  [
    'one that fails',
    '{{ messages[0].content.nothing() }}',
    "the backbone's chat template fails on the conversation",
  ],
])('%s is told', (_what, template, message) => {
  expect(() => render(template)).toThrow(UserError);
  expect(() => render(template)).toThrow(message);
});
