import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsvRecord, CsvSplitter } from './csv-splitter.js';

function split(text: string, cuts: number[] = [], maxBytes = 1_000): CsvRecord[] {
  const bytes = Buffer.from(text);
  const splitter = new CsvSplitter(','.charCodeAt(0), maxBytes);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const records = at.slice(1).flatMap((end, i) => [...splitter.push(bytes.subarray(at[i], end))]);
  return [...records, ...splitter.end()].map((record) => ({
    ...record,
    bytes: record.bytes && Buffer.from(record.bytes),
  }));
}

const texts = (records: CsvRecord[]): (string | undefined)[] => records.map(({ bytes }) => bytes?.toString());

test('records end at LF or CR LF outside quotes, and know the line on which they begin', () => {
  const records = split('a,"b\r\nc"\r\n"d ""e""",f\ng,5" disk');
  expect(texts(records)).toEqual(['a,"b\r\nc"', '"d ""e""",f', 'g,5" disk']);
  expect(records.map(({ line }) => line)).toEqual([1, 3, 4]);
  expect(records.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
});

test.each(['"a"b,c', '"a" ,c', '"a"\rb', 'x,"a"b"'])(
  'what follows a closing quote is a fault of its record only: %j',
  (record) => {
    const records = split(`1,2\n${record}\n3,4\n`);
    expect(texts(records)).toEqual(['1,2', record, '3,4']);
    expect(records.map(({ fault }) => fault !== undefined)).toEqual([false, true, false]);
  },
);

test('a quote that is never closed is one fault, at the end', () => {
  const records = split('1,2\n"3,4\n5,6\n');
  expect(records.map(({ line, fault }) => [line, fault])).toEqual([
    [1, undefined],
    [2, 'a quote is never closed'],
  ]);
});

test('a record longer than the limit is counted, not kept', () => {
  const records = split(`a,b\n${'x'.repeat(50)}\r\n"${'y\n'.repeat(30)}",c\nd,e`, [], 20);
  expect(records.map(({ line, length, bytes }) => [line, length, bytes?.toString()])).toEqual([
    [1, 3, 'a,b'],
    [2, 50, undefined],
    [3, 64, undefined],
    [34, 3, 'd,e'],
  ]);
});

test('the cuts of the stream make no difference', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\r\n', 'é') });
  fc.assert(
    fc.property(text, fc.array(fc.nat()), (given, cuts) => {
      expect(split(given, cuts)).toEqual(split(given));
    }),
  );
});
