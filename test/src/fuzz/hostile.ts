import fc from 'fast-check';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** Strings that somebody might break something with. */
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
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer({ min: 1_000, max: 50_000 }).map((length) => 'a'.repeat(length)),
  fc.integer({ min: 10, max: 2_000 }).map((length) => "')".repeat(length)),
);

/** Numbers that are no ids, probabilities or counts. */
export const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(-1, 0, -0, 0.5, 1.5, 2 ** 31, 2 ** 53, 2 ** 63, 1e21, 1e308, -1e308, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** JSON that is of no use for anything. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.constantFrom(null, true, false, [], {}, [[]], { a: null }),
  fc.integer({ min: 5, max: 99 }).map((levels) => JSON.parse(deep(levels)) as unknown),
  fc.jsonValue(),
);

/** Bodies that are no JSON, or only nearly. */
export const hostileBody: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom(
      '',
      '{',
      '[]',
      'null',
      '"text"',
      '1e999',
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
