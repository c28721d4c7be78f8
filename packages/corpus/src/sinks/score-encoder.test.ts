import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvText, scoreEncoder } from './score-encoder.js';
import type { ScoreRow } from './score-format.js';

const scored: ScoreRow = {
  truncated: false,
  tokens: 12,
  threshold: 0.5,
  harmful: true,
  score: 0.75,
  key: 'a',
};

describe('jsonl', () => {
  const { header, rows } = scoreEncoder('jsonl');

  test('is one object a line, key first; an error stands alone', () => {
    expect(header).toBe('');
    expect(rows([scored, { ...scored, key: 'b', error: 'no text' }])).toBe(
      '{"key":"a","score":0.75,"harmful":true,"threshold":0.5,"tokens":12,"truncated":false}\n' +
        '{"key":"b","error":"no text"}\n',
    );
  });

  test('keeps every digit and every character', () => {
    const row = fc.record({
      key: fc.string({ unit: 'binary' }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(row), (given) => {
        const lines = String(rows(given)).split('\n');
        expect(lines.pop()).toBe('');
        expect(lines.map((line) => JSON.parse(line))).toEqual(
          given.map((one) => ({ ...one, score: one.score + 0 })),
        );
      }),
    );
  });
});

describe('csv', () => {
  const { header, rows } = scoreEncoder('csv');

  test('has a header, and empty cells for what a row lacks', () => {
    expect(header).toBe('key,score,harmful,threshold,tokens,truncated,error\n');
    expect(rows([scored, { key: 'b', error: 'no "text", no score' }])).toBe(
      'a,0.75,true,0.5,12,false,\nb,,,,,,"no ""text"", no score"\n',
    );
    expect(rows([])).toBe('');
  });

  test.each(['=1+1', '+1+1', '-1-cmd', '-', '@SUM(A1)', '-1e', '\t1', '\rx', '-1\n'])(
    'a cell that a spreadsheet would run is made text: %j',
    (text) => {
      const [line] = parse(rows([{ key: text, error: text }])) as string[][];
      expect(line).toEqual([`'${text}`, '', '', '', '', '', `'${text}`]);
    },
  );

  test('is known beforehand, text by text', () => {
    const unit = fc.constantFrom(...'a\'=+-@\t\r\uff1d\uff0b\uff0d\uff20 "');
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1 }), (key) => {
        const [line] = parse(rows([{ key, error: '' }]), { record_delimiter: '\n' }) as string[][];
        expect(line?.[0]).toBe(csvText(key));
      }),
    );
  });

  test('is read back as it was, but for the apostrophes', () => {
    const key = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\n', '\r', ';', "'", '=', '-', 'é', '🙂'),
    });
    fc.assert(
      fc.property(
        fc.array(fc.record({ key, score: fc.double({ min: 0, max: 1, noNaN: true }) }), { minLength: 1 }),
        (given) => {
          const lines = parse(header + rows(given), { columns: true, record_delimiter: '\n' }) as Record<
            string,
            string
          >[];
          expect(lines.map((line) => [line.key, Number(line.score)])).toEqual(
            given.map((one) => [one.key.replace(/^(?=[=+\-@\t\r])/, "'"), one.score + 0]),
          );
        },
      ),
    );
  });
});

test('a score that is no number is a defect, not a null in the file', () => {
  for (const format of ['jsonl', 'csv'] as const) {
    expect(() => scoreEncoder(format).rows([{ key: 'a', score: Number.NaN }])).toThrow(RangeError);
  }
});
