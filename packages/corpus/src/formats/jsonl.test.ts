import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { isUserError, type UserError } from '@tocsin/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CorpusRow } from '../rows/row.js';
import { checkSources } from '../sources/check-sources.js';
import { type ReadCorpusOptions, readCorpus } from '../sources/read-corpus.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-reader-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

async function read(sources: string[], options: ReadCorpusOptions = {}): Promise<CorpusRow[]> {
  const rows: CorpusRow[] = [];
  for await (const chunk of readCorpus(sources, { ...options, format: 'jsonl' })) rows.push(...chunk);
  return rows;
}

/** The rows that came before the `UserError`, and it. */
async function readFailing(
  sources: string[],
  options: ReadCorpusOptions = {},
): Promise<{ rows: CorpusRow[]; error: UserError }> {
  const rows: CorpusRow[] = [];
  try {
    for await (const chunk of readCorpus(sources, { ...options, format: 'jsonl' })) rows.push(...chunk);
  } catch (error) {
    if (isUserError(error)) return { rows, error };
    throw error;
  }
  throw new Error('nothing failed');
}

const stdinOf = (content: string | Buffer): Readable => Readable.from([Buffer.from(content)]);
const texts = (rows: CorpusRow[]): unknown[] =>
  rows.map((row) => (row.kind === 'item' && 'text' in row.content ? row.content.text : row.kind));

describe('rows', () => {
  test('are numbered over all sources, with key, file and line; bad ones do not stop the next', async () => {
    const a = await file('a.jsonl', '{"id":"x","text":"one"}\n\nnope\n{"text":"two"}');
    const b = await file('b.jsonl', '{"id":5,"prompt":"p","response":"r"}\n');
    expect(await read([a, b])).toEqual([
      { kind: 'item', seq: 1, key: 'x', file: a, line: 1, content: { text: 'one' } },
      {
        kind: 'reject',
        seq: 2,
        key: 'a.jsonl:line:3',
        file: a,
        line: 3,
        rejectKind: 'json',
        reason: 'The line is not JSON at character 1: a value was expected.',
      },
      { kind: 'item', seq: 3, key: 'a.jsonl:line:4', file: a, line: 4, content: { text: 'two' } },
      { kind: 'item', seq: 4, key: '5', file: b, line: 1, content: { prompt: 'p', response: 'r' } },
    ]);
  });

  test('of one source without an id have their place as key', async () => {
    const path = await file('a.jsonl', '\n \t\n{"text":"a"}\r\n\r\n{"text":"b"}\r\n');
    expect((await read([path])).map((row) => [row.seq, row.key, row.line])).toEqual([
      [1, 'line:3', 3],
      [2, 'line:5', 5],
    ]);
  });

  test('with equal ids are all kept', async () => {
    const path = await file('a.jsonl', '{"id":"k","text":"a"}\n{"id":"k","text":"b"}\n');
    expect((await read([path])).map((row) => row.key)).toEqual(['k', 'k']);
  });

  test('are none in an empty file, a blank one, or one with only a byte order mark', async () => {
    const paths = [
      await file('a.jsonl', ''),
      await file('b.jsonl', ' \n\n'),
      await file('c.jsonl', '\ufeff'),
    ];
    expect(await read(paths)).toEqual([]);
    expect(await read(['-'], { stdin: Readable.from([]) })).toEqual([]);
  });

  test('start after a UTF-8 byte order mark, also when it comes byte by byte', async () => {
    const bytes = Buffer.from('\ufeff{"text":"a"}\n{"text":"b"}');
    const path = await file('a.jsonl', bytes);
    expect(texts(await read([path]))).toEqual(['a', 'b']);
    const stdin = Readable.from([...bytes].map((byte) => Buffer.from([byte])));
    expect(texts(await read(['-'], { stdin }))).toEqual(['a', 'b']);
  });

  test('come back as they were written, whatever the text and the chunks', async () => {
    const content = fc.string({ unit: 'binary', maxLength: 20 });
    const end = fc.constantFrom('\n', '\r\n', '\n\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(content, end), { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, size) => {
          const bytes = Buffer.from(
            rows.map(([text, lineEnd]) => JSON.stringify({ text }) + lineEnd).join(''),
          );
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
          const back = await read(['-'], { stdin: Readable.from(chunks) });
          expect(texts(back)).toEqual(rows.map(([text]) => text));
        },
      ),
    );
  });

  test('come in chunks of at most 1,000', async () => {
    const path = await file('many.jsonl', '{"text":"a"}\n'.repeat(12_345));
    const sizes: number[] = [];
    for await (const chunk of readCorpus([path])) sizes.push(chunk.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12_345);
  });

  test('are given out before more input comes', async () => {
    const stdin = new PassThrough();
    const rows = readCorpus(['-'], { stdin });
    stdin.write('{"text":"a"}\n{"te');
    expect(texts((await rows.next()).value ?? [])).toEqual(['a']);
    stdin.end('xt":"b"}');
    expect(texts((await rows.next()).value ?? [])).toEqual(['b']);
    expect((await rows.next()).done).toBe(true);
  });
});

describe('long lines', () => {
  test('beyond the limit are rejects, at the limit they are read, and the next row goes on', async () => {
    const line = '{"text":"0123456789"}';
    const path = await file('a.jsonl', `${line}\n{"text":"0123456789+"}\n{"text":"b"}\n`);
    const rows = await read([path], { maxLineBytes: line.length });
    expect(texts(rows)).toEqual(['0123456789', 'reject', 'b']);
    expect(rows[1]).toMatchObject({
      key: 'line:2',
      reason: 'The line is 22 bytes long, more than the limit of 21.',
    });
  });

  test('of 50 MB are read under the default limit', async () => {
    const long = 'abcdefghij'.repeat(5_000_000);
    const path = await file('a.jsonl', `{"text":"${long}"}\n{"text":"b"}\n`);
    const rows = await read([path]);
    expect(rows).toHaveLength(2);
    const [first] = rows;
    expect(first?.kind === 'item' && 'text' in first.content && first.content.text === long).toBe(true);
  });

  test('of 400 MB pass without being held', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 400; i += 1) yield Buffer.alloc(1024 * 1024, 'x');
      yield Buffer.from('\n{"text":"b"}\n');
    }
    const before = process.memoryUsage().arrayBuffers;
    let highest = 0;
    const onBytes = (): void => {
      highest = Math.max(highest, process.memoryUsage().arrayBuffers - before);
    };
    const rows = await read(['-'], {
      stdin: Readable.from(endless(), { objectMode: true }),
      maxLineBytes: 1024 * 1024,
      onBytes,
    });
    expect(texts(rows)).toEqual(['reject', 'b']);
    expect(rows[0]).toMatchObject({
      reason: 'The line is 419,430,400 bytes long, more than the limit of 1,048,576.',
    });
    // What is no longer held may wait some time for the garbage collector.
    expect(highest).toBeLessThan(200 * 1024 * 1024);
  });

  test('have a limit that a string can hold', async () => {
    expect((await readFailing(['-'], { maxLineBytes: 0 })).error.message).toContain('1 to');
    expect((await readFailing(['-'], { maxLineBytes: 2 ** 31 })).error.message).toContain('1 to');
  });
});

describe('gzip', () => {
  const lines = Array.from({ length: 20_000 }, (_, i) =>
    JSON.stringify({ id: i, text: `row ${(i * 7_919) % 10_007}` }),
  );
  const packed = gzipSync(`${lines.join('\n')}\n`);

  test('is unpacked by its first bytes, whatever the name, also from stdin', async () => {
    const paths = [await file('a.jsonl.gz', packed), await file('b.jsonl', packed)];
    for (const path of paths) expect(await read([path])).toHaveLength(20_000);
    expect(await read(['-'], { stdin: stdinOf(packed) })).toHaveLength(20_000);
  });

  test('may hold a byte order mark', async () => {
    const path = await file('a.jsonl.gz', gzipSync('\ufeff{"text":"a"}\n'));
    expect(texts(await read([path]))).toEqual(['a']);
  });

  test('that ends too early gives its rows first, then says where', async () => {
    const path = await file('cut.jsonl.gz', packed.subarray(0, packed.length - 5000));
    const { rows, error } = await readFailing([path]);
    expect(rows.length).toBeGreaterThan(10_000);
    expect(rows.every((row, i) => row.kind === 'item' && row.key === String(i))).toBe(true);
    const byte = (packed.length - 5000).toLocaleString('en-US');
    const line = rows.length.toLocaleString('en-US');
    expect(error.message).toBe(
      `the gzip data of "${path}" is truncated at compressed byte ${byte}, after line ${line}: unexpected end of file`,
    );
    expect(error.hint).toContain('gzip -t');
  });

  test('that is damaged says where', async () => {
    const broken = Buffer.from(packed);
    broken.fill(0xff, 50_000, 51_000);
    const { error } = await readFailing([await file('bad.jsonl.gz', broken)]);
    expect(error.message).toMatch(/is damaged at or before compressed byte [\d,]+, after line [\d,]+: /);
  });

  test('that a name promises must be there', async () => {
    expect((await readFailing([await file('a.gz', '{"text":"a"}\n')])).error.message).toContain(
      'is not gzip data',
    );
    expect((await readFailing([await file('b.gz', '')])).error.message).toContain(
      'is truncated at compressed byte 0',
    );
  });
});

describe('files that cannot be read', () => {
  test.each([
    ['a zip file', Buffer.from('PK\x03\x04....'), 'Unpack'],
    ['a Parquet file', Buffer.from('PAR1....'), '--input-format parquet'],
  ])('%s is refused by name', async (kind, bytes, hint) => {
    const path = await file('odd.jsonl', bytes);
    const { error } = await readFailing([path]);
    expect(error.message).toBe(`"${path}" cannot be read: it is ${kind}, not text`);
    expect(error.hint).toContain(hint);
  });

  test('missing ones and directories are named, after the rows of the sources before', async () => {
    const good = await file('a.jsonl', '{"text":"a"}\n');
    const { rows, error } = await readFailing([good, join(dir, 'gone.jsonl')]);
    expect(rows).toHaveLength(1);
    expect(error.message).toContain('gone.jsonl');
    expect((await readFailing([dir])).error.message).toContain('is a directory');
  });

  test('a source that breaks in the middle is named', async () => {
    const stdin = Readable.from(
      (async function* () {
        yield Buffer.from('{"text":"a"}\n');
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      })(),
    );
    const { rows, error } = await readFailing(['-'], { stdin });
    expect(rows).toHaveLength(1);
    expect(error.message).toBe('stdin cannot be read: EIO: i/o error');
  });
});

describe('the way of reading', () => {
  test('onBytes counts up to what checkSources gives, compressed bytes for gzip', async () => {
    const paths = [
      await file('a.jsonl', '{"text":"a"}\n'.repeat(50_000)),
      await file('b.gz', gzipSync('{"text":"b"}\n')),
    ];
    const seen: number[] = [];
    await read(paths, { onBytes: (bytes) => seen.push(bytes) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toBe((await checkSources(paths)).bytes);
  });

  test('a signal ends it with its reason, even while stdin is silent', async () => {
    const stop = new AbortController();
    const stdin = new PassThrough();
    stdin.write('{"text":"a"}\n');
    const rows = readCorpus(['-'], { stdin, signal: stop.signal });
    await rows.next();
    const waiting = rows.next();
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(stdin.destroyed).toBe(true);
    await expect(read([await file('a.jsonl', '{}\n')], { signal: stop.signal })).rejects.toThrow('enough');
  });

  test('whoever stops early leaves no open stream', async () => {
    const stdin = createReadStream(await file('a.jsonl', '{"text":"a"}\n'.repeat(100_000)));
    for await (const _ of readCorpus(['-'], { stdin })) break;
    if (!stdin.closed) await new Promise<void>((resolve) => stdin.once('close', () => resolve()));
    expect(stdin.destroyed).toBe(true);
  });

  test('a named pipe is read like a file', async () => {
    const fifo = join(dir, 'pipe');
    execFileSync('mkfifo', [fifo]);
    const writer = spawn('sh', ['-c', 'printf \'{"text":"a"}\\n\' > "$0"', fifo]);
    const exited = once(writer, 'exit');
    expect(texts(await read([fifo]))).toEqual(['a']);
    await exited;
  });

  test('two fields of one name are refused', async () => {
    expect((await readFailing(['-'], { fields: { text: 'x', prompt: 'x' } })).error.message).toContain('"x"');
  });
});

test('fields that are to be kept come with items and rejects, as they are', async () => {
  const lines = [
    '{"id":"a","text":"t","label":1,"source":{"deep":[null]}}',
    '{"id":"b","label":null}',
    '{"id":"c","text":"t","other":2}',
    '{"id":["d"],"text":"t","label":"x","__proto__":3}',
    'nope',
  ];
  const source = await file('kept.jsonl', lines.join('\n'));
  const rows = await read([source], { keep: ['label', 'source', '__proto__'] });
  expect(rows.map(({ kind, kept }) => [kind, kept && Object.entries(kept)])).toEqual([
    ['item', Object.entries({ label: 1, source: { deep: [null] } })],
    ['reject', [['label', null]]],
    ['item', []],
    [
      'reject',
      [
        ['label', 'x'],
        ['__proto__', 3],
      ],
    ],
    ['reject', undefined],
  ]);
  expect((await read([source])).every((row) => !('kept' in row))).toBe(true);
});
