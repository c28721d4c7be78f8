import { expect, test } from 'vitest';
import { scoreFormat } from './score-format.js';

test.each([
  ['out.jsonl', undefined, 'jsonl', false],
  ['out.ndjson', undefined, 'jsonl', false],
  ['a.b/OUT.CSV', undefined, 'csv', false],
  ['out.csv.gz', undefined, 'csv', true],
  ['out.jsonl.GZ', undefined, 'jsonl', true],
  ['-', undefined, 'jsonl', false],
  ['-', 'csv', 'csv', false],
  ['out.json', 'jsonl', 'jsonl', false],
  ['out.gz', 'csv', 'csv', true],
  ['out.jsonl', 'csv', 'csv', false],
  ['out.tsv.gz', undefined, 'tsv', true],
  ['out.parquet', undefined, 'parquet', false],
  ['out.jsonl.gz', 'openai-batch', 'openai-batch', true],
])('%s with format %s is %s', (path, given, format, gzip) => {
  expect(scoreFormat(path, given)).toEqual({ format, gzip });
});

test.each(['out', 'out.json', 'out.gz', 'out.xlsx', 'a.csv/out', ''])('"%s" says no format', (path) => {
  expect(() => scoreFormat(path)).toThrow(
    expect.objectContaining({
      name: 'UserError',
      message: `the output format of "${path}" is unknown: its name has no known extension`,
      hint: expect.stringContaining('.jsonl, .ndjson, .csv'),
    }),
  );
});

test('a format that does not exist is refused with those that do', () => {
  expect(() => scoreFormat('out.csv', 'xlsx')).toThrow(
    expect.objectContaining({
      name: 'UserError',
      hint: 'Known formats: jsonl, csv, tsv, parquet, openai-batch.',
    }),
  );
});
