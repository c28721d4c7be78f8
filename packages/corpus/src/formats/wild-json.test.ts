import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JsonLayout, JsonValueSplitter } from '../rows/json-values.js';
import { findSources } from '../sources/find-sources.js';
import type { ReadCorpusOptions } from '../sources/read-corpus.js';
import { outcome, readRows } from '../testing/read-rows.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-json-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function read(content: string, options: ReadCorpusOptions = {}): Promise<unknown[][]> {
  const file = join(dir, 'rows.json');
  await writeFile(file, content);
  return (await readRows(file, { task: 'content', ...options })).map(outcome);
}

const refusal = (content: string, options?: ReadCorpusOptions): Promise<string> =>
  read(content, options).then(
    () => 'nothing was refused',
    (error: Error & { hint?: string }) => `${error.message}. ${error.hint}`,
  );

describe('arrays', () => {
  const rows = [{ id: 1, text: 'a ] , { "' }, { text: 'b' }];
  const expected = [
    ['1', 1, { text: 'a ] , { "' }],
    ['row:2', 2, { text: 'b' }],
  ];
  test.each([
    ['on one line', JSON.stringify(rows)],
    ['pretty-printed', JSON.stringify(rows, null, 2)],
    ['one row a line', `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`],
    ['with a comma too much', `[\n${rows.map((row) => `${JSON.stringify(row)},\n`).join('')}]`],
    ['two after each other', rows.map((row) => JSON.stringify([row], null, 1)).join('\n')],
    ['none, but objects over several lines', rows.map((row) => JSON.stringify(row, null, 1)).join('\n')],
  ])('%s', async (_what, content) => {
    expect(await read(content)).toEqual(expected);
  });

  test('lines with commas are lines', async () => {
    const content = rows.map((row) => `${JSON.stringify(row)},\n`).join('');
    expect(await read(content)).toEqual([expected[0], ['line:2', 2, { text: 'b' }]]);
  });

  test('a bad element costs no other', async () => {
    expect(await read('[{"text":"a"},\n{"text":"b},\n7, {"text" "c"}, {"text":"d"}]')).toEqual([
      ['row:1', 1, { text: 'a' }],
      ['row:2', 2, expect.stringContaining('The element is not JSON')],
      ['row:3', 3, expect.stringContaining('The element is a number')],
      ['row:4', 4, expect.stringContaining('The element is not JSON')],
      ['row:5', 5, { text: 'd' }],
    ]);
  });

  test('that are cut off are an error', async () => {
    expect(await refusal('[{"text":"a"},\n')).toContain('is never closed, after row 1');
  });

  test('are cut at the same places whatever the chunks', () => {
    const values = fc.array(fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.record({ text: fc.string() })));
    fc.assert(
      fc.property(values, fc.nat(4), fc.integer({ min: 1, max: 9 }), (given, indent, size) => {
        const bytes = Buffer.from(JSON.stringify(given, null, indent));
        expect(cut(bytes, 'array', size).map((text) => JSON.parse(text))).toEqual(
          JSON.parse(JSON.stringify(given)),
        );
      }),
    );
  });
});

function cut(bytes: Buffer, layout: JsonLayout, size: number): string[] {
  const splitter = new JsonValueSplitter(layout, 1e6);
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const value of splitter.push(bytes.subarray(at, at + size))) found.push(String(value.bytes));
  }
  for (const value of splitter.end()) found.push(String(value.bytes));
  return found;
}

test('NaN and infinities matter only where they are used', async () => {
  const lines = [
    '{"id":1,"text":"NaN, \\"Infinity\\"","score":NaN}',
    '{"id":2,"text":NaN}',
    '{"id":-Infinity,"text":"c"}',
    '{"id":4,"text":"d","nested":[{"x":-Infinity}]}',
  ];
  expect(await read(lines.join('\n'))).toEqual([
    ['1', 1, { text: 'NaN, "Infinity"' }],
    ['2', 2, 'The field "text" contains NaN or Infinity, which JSON does not allow.'],
    ['line:3', 3, 'The field "id" contains NaN or Infinity, which JSON does not allow.'],
    ['4', 4, { text: 'd' }],
  ]);
});

describe('chats', () => {
  const chat: ReadCorpusOptions = { shape: 'openai-chat', fields: { messages: 'conversations' } };
  const said = { prompt: 'p', response: 'r' };
  test.each(['human/gpt', 'User/Assistant', 'human/ai', 'user/bot'])('of %s are read', async (roles) => {
    const [user, assistant] = roles.split('/');
    const named = [
      { role: 'system', content: 's' },
      { role: user, content: 'p' },
      { role: assistant, content: 'r' },
    ];
    const sharegpt = named.map(({ role, content }) => ({ from: role, value: content }));
    for (const conversations of [named, sharegpt]) {
      expect(await read(JSON.stringify({ conversations }), chat)).toEqual([['line:1', 1, said]]);
    }
  });

  test('of unknown roles are refused with the roles', async () => {
    const content = JSON.stringify({ conversations: [{ from: 'narrator', value: 'x' }] });
    expect(await refusal(content, chat)).toContain('a message of the role "narrator"');
  });

  test('without --shape are refused with it', async () => {
    const conversations = [{ from: 'human', value: 'x' }];
    expect(await refusal(JSON.stringify({ conversations }))).toContain(
      '--shape openai-chat --messages-field "conversations"',
    );
    expect(await refusal('{"messages":[{"role":"user","content":"x"}]}')).toContain('--shape openai-chat');
  });
});

describe('first rows', () => {
  test.each([
    ['{"data":[{"text":"a"}]}', "jq -c '.data[]'"],
    ['{"id":1,"Message text":"a"}\n', '--text-field "Message text"'],
    ['id,text\n1,a\n', '--input-format csv'],
    ['["a"]\n["b"]\n', "jq -c '.[]'"],
    ['{"text":["a"]}', `jq -c '.text |= join("\\n")'`],
  ])('%j is refused with the remedy', async (content, remedy) => {
    expect(await refusal(content)).toContain(remedy);
  });

  test('that hold one good row among rejects are rows', async () => {
    const lines = Array.from({ length: 99 }, () => '{"body":"x"}');
    expect(await read([...lines, '{"text":"a"}'].join('\n'))).toHaveLength(100);
    expect(await refusal([...lines, '{"body":"x"}', '{"text":"a"}'].join('\n'))).toMatch(
      /^the first 100 rows/,
    );
  });

  test('with empty fields are rejects, as their fields are there', async () => {
    expect(await read('{"text":null}')).toHaveLength(1);
  });

  test('that are rejects for several reasons are refused for the most frequent one', async () => {
    await expect(read('x = [\n{"tweet":{"text":"a"}}\n]\n')).rejects.toThrow('are not JSON');
  });

  test('with ids that are objects are refused with --id-field', async () => {
    const error = await read('{"id":{"$oid":"ab"},"text":"a"}\n').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ hint: expect.stringContaining('--id-field none') });
  });

  test('have keys of all digits that stand there, also after the point', async () => {
    const rows = await read(
      '{"id":0.12345678901234567,"text":"a"}\n{"id":0.12345678901234568,"text":"b"}\n{"id":1.5,"text":"c"}\n',
    );
    expect(rows.map(([key]) => key)).toEqual(['0.12345678901234567', '0.12345678901234568', '1.5']);
  });

  test('of a file that is compressed twice are refused', async () => {
    await writeFile(join(dir, 'twice.jsonl.gz'), gzipSync(gzipSync('{"text":"a"}\n')));
    await expect(readRows([join(dir, 'twice.jsonl.gz')])).rejects.toThrow('compressed twice');
  });

  test('of a later file are looked at before any row is given out', async () => {
    await writeFile(join(dir, 'good.jsonl'), '{"text":"a"}\n');
    await writeFile(join(dir, 'odd.jsonl'), '{"body":"a"}\n');
    const sources = [join(dir, 'good.jsonl'), join(dir, 'odd.jsonl')];
    const rows: unknown[] = [];
    const onBytes = (read: number): number => rows.push(read);
    await expect(readRows(sources, { task: 'content', onBytes })).rejects.toThrow('odd.jsonl');
    expect(rows).toEqual([]);
  });
});

describe('roots', () => {
  test('a file outside is refused whatever leads there, when it is opened', async () => {
    const root = join(dir, 'root');
    await mkdir(join(dir, 'secret'));
    await mkdir(root);
    const secret = join(dir, 'secret', 'a.jsonl');
    await writeFile(secret, '{"text":"a"}\n');
    await writeFile(join(root, 'good.jsonl'), '{"text":"b"}\n');
    await symlink(join(root, 'good.jsonl'), join(root, 'inner.jsonl'));
    expect(await readRows([join(root, 'inner.jsonl')], { roots: [root] })).toHaveLength(1);
    await symlink(secret, join(root, 'link.jsonl'));
    await symlink(join(dir, 'secret'), join(root, 'linked'));
    for (const source of ['link.jsonl', 'linked/a.jsonl', '../secret/a.jsonl']) {
      const path = join(root, source);
      await expect(readRows([path], { roots: [root] })).rejects.toThrow(
        'it is outside the allowed directories',
      );
      await expect(readRows([path], { roots: [root], format: 'parquet' })).rejects.toThrow(
        'it is outside the allowed directories',
      );
    }
    for (const source of [root, join(root, '*.jsonl'), join(root, 'linked')]) {
      await expect(findSources([source], { roots: [root] })).rejects.toThrow(
        'it is outside the allowed directories',
      );
    }
    // A hard link is the file itself.
    await link(secret, join(root, 'hard.jsonl'));
    expect(await readRows([join(root, 'hard.jsonl')], { roots: [root] })).toHaveLength(1);
  });
});
