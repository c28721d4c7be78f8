import fc from 'fast-check';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** Strings that may cause failures. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    'x\udfff',
    '\ufeff',
    '\u202e\u2066abc',
    "'; drop table runs; --",
    "' or '1'='1",
    '1); select pg_sleep(5); --',
    '$1',
    '\\',
    '%',
    '%00',
    '%ff',
    '../../../../etc/passwd',
    '..\\..\\windows',
    '/etc/passwd',
    'file:///etc/passwd',
    'postgres://user@localhost/db',
    '-',
    '*',
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '__proto__',
    'constructor',
    'toString',
    '{{7*7}}',
    'tcs_',
    'null',
    'NaN',
    'Infinity',
    '-0',
    '1e999',
    '9007199254740993',
    '99999999999999999999',
    '0x10',
    '2026-02-30T25:61:61Z',
    '\r\nset-cookie: a=b',
    // Terminal escape sequences: clear, set the window title, a link, a byte of the C1 set; a line that imitates
    // another.
    '\u001b[2J\u001b[31mred',
    '\u001b]0;title\u0007',
    '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\',
    '\u009b2J',
    'done\n7 lines more',
    'a\rb\bc\u007f',
    'fdp.\u202etxt',
    'x\u2028y',
    // Inputs near the limits of the search parser.
    '-'.repeat(33),
    `${'-'.repeat(40)}tea`,
    `${'- '.repeat(100)}tea`,
    `"${'-'.repeat(60)}" ${'-!'.repeat(60)}x`,
    '('.repeat(200),
    "a:*b & !! | <-> \\'",
    `${'or '.repeat(66)}`,
    // Enormous numbers.
    '9'.repeat(400),
    `1e${'9'.repeat(30)}`,
    `0x${'f'.repeat(200)}`,
    '-9223372036854775809',
    '9223372036854775807',
    '0.'.concat('0'.repeat(400), '1'),
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer({ min: 1_000, max: 50_000 }).map((length) => 'a'.repeat(length)),
  fc.integer({ min: 10, max: 2_000 }).map((length) => "')".repeat(length)),
  fc.integer({ min: 30, max: 200 }).map((length) => '-'.repeat(length)),
  fc.string({ unit: fc.constantFrom(...'-- !&|()":*<>\\a'), minLength: 20, maxLength: 200 }),
  // One endless word, also of multi-byte letters.
  fc
    .tuple(fc.constantFrom('a', 'é', '字', '😀', '\u0301'), fc.integer({ min: 5_000, max: 100_000 }))
    .map(([letter, length]) => letter.repeat(length)),
);

/** Invalid ids, probabilities and counts. */
export const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    -1,
    0,
    -0,
    0.5,
    1.5,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    2 ** 63,
    -(2 ** 63),
    1e21,
    1e308,
    -1e308,
    5e-324,
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Valid JSON without meaning here. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.constantFrom(null, true, false, [], {}, [[]], { a: null }),
  fc.integer({ min: 5, max: 99 }).map((levels) => JSON.parse(deep(levels)) as unknown),
  fc.jsonValue(),
);

/** Bodies that are not JSON, or almost JSON. */
export const hostileBody: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom(
      '',
      '{',
      '[]',
      'null',
      '"text"',
      '1e999',
      `{"text":"a","threshold":${'9'.repeat(500)}}`,
      `{"text":"a","threshold":0.${'0'.repeat(5_000)}1}`,
      `{"items":[${'{"text":""},'.repeat(300)}{"text":""}]}`,
      `{"rows":[${'{},'.repeat(5_000)}{}]}`,
      `{"text":"${'-'.repeat(200_000)}"}`,
      `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":0`).join(',')}}`,
      '{"text":"\\u001b[2J\\u0000\\udc00"}',
      '{"text":"a","text":"b"}',
      '{"__proto__":{"role":"admin"},"text":"a"}',
      '{"constructor":{"prototype":{"role":"admin"}}}',
      '{"text":"\\ud800"}',
      '{"text":"a"}}',
      '{"text":"a",}',
      "{'text':'a'}",
      'text=a&threshold=0.5',
      '<xml/>',
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
    )
    .map((text) => Buffer.from(text)),
  fc.constantFrom(101, 5_000, 100_000).map((levels) => Buffer.from(deep(levels))),
  fc
    .constantFrom(101, 50_000)
    .map((levels) => Buffer.from(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')])),
);
