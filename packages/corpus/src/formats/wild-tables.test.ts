import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadCorpusOptions } from '../sources/read-corpus.js';
import { outcome, readRows } from '../testing/read-rows.js';

let dir: string;
let notices: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-wild-'));
  notices = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function read(
  content: string | Buffer,
  options: ReadCorpusOptions = {},
  name = 'rows.csv',
): Promise<unknown[][]> {
  const file = join(dir, name);
  await writeFile(file, content);
  const rows = await readRows(file, {
    task: 'content',
    onNotice: (notice) => notices.push(notice.replace(file, name)),
    ...options,
  });
  return rows.map(outcome);
}

const refusal = (content: string | Buffer, options?: ReadCorpusOptions, name?: string): Promise<string> =>
  read(content, options, name).then(
    () => 'nothing was refused',
    (error: Error & { hint?: string }) => `${error.message}. ${error.hint}`.replace(`${dir}/`, ''),
  );

describe('quotes', () => {
  const lines = ['1\t"Well, hello', '2\tgood day', '3\tthe "end"', '4\t"quoted" first', '5\tlast"'];
  const tsv = `id\ttext\n${lines.join('\n')}\n`;
  const asWritten = lines.map((line, i) => [String(i + 1), i + 2, { text: line.slice(2) }]);

  test('that do not enclose fields are characters of a TSV file, which is said', async () => {
    expect(await read(tsv, {}, 'rows.tsv')).toEqual(asWritten);
    expect(notices).toEqual([expect.stringMatching(/^"rows.tsv": double quotes are read as plain/)]);
  });

  test('are characters with quote: none, and quotes with quote: double', async () => {
    expect(await read(tsv.replaceAll('\t', ','), { quote: 'none', delimiter: ',' })).toHaveLength(5);
    expect(await read('id\ttext\n1\t"a\n2\tb"\n', { quote: 'double' }, 'rows.tsv')).toEqual([
      ['1', 2, { text: 'a\n2\tb' }],
    ]);
  });

  test.each([300, 20_000])('that are opened after %d good rows of TSV cost no row', async (good) => {
    const many = Array.from({ length: good }, (_, i) => `${i}\t"row ${i}"`);
    const after = Array.from({ length: 300 }, (_, i) => `after ${i}\tplain`);
    const rows = await read(`id\ttext\n${[...many, 'bad\t"open', ...after].join('\n')}\n`, {}, 'rows.tsv');
    expect(rows).toHaveLength(good + 301);
    expect(rows[good]).toEqual(['bad', good + 2, { text: '"open' }]);
    expect(notices).toHaveLength(1);
  });

  test('around fields of TSV stay quotes, also around several lines', async () => {
    expect(await read('id\ttext\n1\t"a\nb"\n2\t"c\td"\n', {}, 'rows.tsv')).toEqual([
      ['1', 2, { text: 'a\nb' }],
      ['2', 4, { text: 'c\td' }],
    ]);
    expect(await read('"id"\t"text"\n"1"\t"a\n2\tb"\n', {}, 'rows.tsv')).toEqual([
      ['1', 2, { text: 'a\n2\tb' }],
    ]);
    expect(notices.join()).not.toContain('plain characters,');
  });

  test('of CSV that swallow what look like rows are counted, with the first place', async () => {
    expect(await read('id,text\n1,"a\n2,b"\n3,c\n4,"d\n5,e"\n')).toHaveLength(3);
    expect(notices).toEqual([
      expect.stringMatching(/^"rows.csv": 2 records take up several lines .*first at line 2\).*--quote none/),
    ]);
  });

  test('that are opened in a line of CSV and never closed cost no row', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i},${i === 5 ? '"open' : `"row ${i}"`}`);
    const found = await read(`id,text\n${rows.join('\n')}\n`);
    expect(found).toEqual(rows.map((_, i) => [String(i), i + 2, { text: i === 5 ? '"open' : `row ${i}` }]));
    expect(notices).toEqual([expect.stringMatching(/1 line opens a quote .*line 7/)]);
  });

  test.each([
    ['rows.csv', ','],
    ['rows.tsv', '\t'],
  ])('that backslashes escape are read in %s, also in fields of several lines', async (name, d) => {
    const table = `id${d}text\n1${d}"said \\"hi\\"${d} ok\nand"\n2${d}plain \\ one\n3${d}"a \\"b\\""\n`;
    const rows = [
      ['1', 2, { text: `said "hi"${d} ok\nand` }],
      ['2', 4, { text: 'plain \\ one' }],
      ['3', 5, { text: 'a "b"' }],
    ];
    expect(await read(table, {}, name)).toEqual(rows);
    expect(notices.join()).toContain('--quote backslash');
    expect(await read(table, { quote: 'backslash' }, name)).toEqual(rows);
  });

  test('a backslash at the end of a quoted field is a character where quotes are doubled', async () => {
    expect(await read('id,text\n1,"C:\\"\n2,"a ""b"""\n')).toEqual([
      ['1', 2, { text: 'C:\\' }],
      ['2', 3, { text: 'a "b"' }],
    ]);
    expect(notices).toEqual([]);
  });
});

describe('line ends and byte order marks', () => {
  test('lines that end at CR are lines', async () => {
    expect(await read('id,text\r1,a\r2,"b, c"\r')).toEqual([
      ['1', 2, { text: 'a' }],
      ['2', 3, { text: 'b, c' }],
    ]);
    expect(notices).toEqual([expect.stringContaining('end at CR alone')]);
    expect(await read('{"text":"a"}\r{"text":"b"}', {}, 'rows.jsonl')).toHaveLength(2);
  });

  test('headers that are repeated in joined files are skipped and counted', async () => {
    expect(await read('\ufeffid,text\n1,a\n\ufeffid,text\n2,b\n"id","text"\n3,c\n')).toEqual([
      ['1', 2, { text: 'a' }],
      ['2', 4, { text: 'b' }],
      ['3', 6, { text: 'c' }],
    ]);
    expect(notices).toEqual(['"rows.csv": skipped 2 lines that repeat the header (the first at line 3).']);
  });

  test('a second header with its columns in another order is an error', async () => {
    expect(await refusal('id,text\n1,a\ntext,id\nb,2\n')).toContain(
      '"rows.csv" cannot be read: line 3 repeats the header with the columns in another order',
    );
  });
});

describe('headers', () => {
  test('a column that nobody asked for may stand there twice', async () => {
    expect(await read('id,date,date,text\n1,x,y,a\n')).toEqual([['1', 2, { text: 'a' }]]);
  });

  test.each(['ID,Text', 'id, text', '"Id ",TEXT'])('%s passes for id,text', async (header) => {
    expect(await read(`${header}\n7,a\n`)).toEqual([['7', 2, { text: 'a' }]]);
    expect(notices.join()).toContain('is read as "text"');
  });

  test('another spelling beside the right one is another column', async () => {
    expect(await read('id,prompt,Text\n7,a,b\n')).toEqual([['7', 2, { prompt: 'a' }]]);
  });

  test('sep=; names the delimiter', async () => {
    expect(await read('sep=;\r\nid;text\r\n1;a, b\r\n')).toEqual([['1', 3, { text: 'a, b' }]]);
  });

  test('a delimiter more at the end of each record is left out, and said', async () => {
    expect(await read('id,text\n1,a,\n2,b,\n')).toEqual([
      ['1', 2, { text: 'a' }],
      ['2', 3, { text: 'b' }],
    ]);
    expect(notices).toEqual([expect.stringContaining('2 records end with more delimiters than the header')]);
  });

  test.each([
    ['id;text\n1;a, b\n2;c\n', "--delimiter ';'"],
    ['id\ttext\n1\ta\n', '--delimiter tab'],
    [
      'id,Message text\n1,a\n',
      'it has "id", "Message text". Name the text column: --text-field "Message text"',
    ],
    ['# exported\nid,text\n1,a\n', 'tail -n +2 FILE'],
    ['Message_ID,Content\n1,a\n', '--text-field "Content"'],
    ['{"id":1,"text":"a"}\n', '--input-format jsonl'],
    ['1,How do I bake bread?\n2,I love tea.\n', 'has no header'],
    ['id,text\n1,a,b\n2,c,d\n', '--quote none'],
  ])('%j is refused with the remedy', async (content, remedy) => {
    expect(await refusal(content)).toContain(remedy);
  });
});

describe('encodings', () => {
  const text = 'id,text\r\n1,caf\u00e9\r\n2,\u4f60\u597d\r\n';
  const expected = [
    ['1', 2, { text: 'caf\u00e9' }],
    ['2', 3, { text: '\u4f60\u597d' }],
  ];

  test('UTF-16 is read, with and without a byte order mark', async () => {
    const le = Buffer.from(text, 'utf16le');
    const marked = Buffer.from(`\ufeff${text}`, 'utf16le');
    expect(await read(marked)).toEqual(expected);
    expect(await read(Buffer.from(marked).swap16())).toEqual(expected);
    expect(notices).toEqual([]);
    expect(await read(le)).toEqual(expected);
    expect(await read(Buffer.from(le).swap16())).toEqual(expected);
    expect(notices[0]).toContain('is read as utf-16le');
  });

  test('half of a surrogate pair in UTF-16 is a reject', async () => {
    const rows = await read(Buffer.from('\ufeffid,text\n1,a\n2,\ud800b\n3,\ud83d\ude00\n', 'utf16le'));
    expect(rows[1]?.[2]).toContain('not UTF-8');
    expect(rows[2]?.[2]).toEqual({ text: '\ud83d\ude00' });
  });

  const latin = Buffer.from('id,text\n1,caf\u00e9\n2,ol\u00e9\n3,tea\n', 'latin1');
  test('others are read when they are named', async () => {
    expect(await read(latin, { encoding: 'windows-1252' })).toEqual([
      ['1', 2, { text: 'caf\u00e9' }],
      ['2', 3, { text: 'ol\u00e9' }],
      ['3', 4, { text: 'tea' }],
    ]);
    expect(
      (await read(Buffer.from([...Buffer.from('text\na\nb'), 0x81]), { encoding: 'windows-1252' }))[1]?.[2],
    ).toContain('not UTF-8');
  });

  test('and are refused with that remedy when most rows do not fit', async () => {
    expect(await refusal(latin)).toMatch(
      /2 of the first 3 rows .* are not UTF-8\. .*--encoding windows-1252/,
    );
  });
});

test('a few rows that are not UTF-8 are rejects, counted with the remedy', async () => {
  const bytes = Buffer.from('id,text\n1,tea\n2,caf\u00e9\n3,tea\n', 'latin1');
  expect(await read(bytes)).toHaveLength(3);
  expect(notices).toEqual([
    expect.stringMatching(
      /^"rows.csv": 1 row contains invalid UTF-8 .*\(first: line 3\)\. .*--encoding windows-1252/,
    ),
  ]);
});

test('a file without rows is said', async () => {
  await read('');
  await read('id,text\n');
  expect(notices).toEqual([
    expect.stringContaining('"rows.csv" contains no rows'),
    expect.stringContaining('"rows.csv" contains no rows'),
  ]);
});
