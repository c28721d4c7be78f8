import { isBlank, type Line, LineSplitter } from '../line-splitter.js';
import { openSource } from '../open-source.js';
import { parseLine } from '../parse-row.js';
import { type Rejection, rejection } from '../reject.js';
import type { Found } from '../source-record.js';
import { count } from '../wording.js';
import type { FormatOptions } from './format-options.js';
import { readingErrors } from './reading-errors.js';

/** The records of a JSONL file, those that end in one chunk at a time. Blank lines are none. */
export async function* jsonlRecords(source: string, options: FormatOptions): AsyncGenerator<Iterable<Found>> {
  const splitter = new LineSplitter(options.maxLineBytes);
  const errors = readingErrors(source, () => `after line ${count(splitter.lines)}`, options.signal);
  try {
    for await (const chunk of openSource(source, options)) {
      options.signal?.throwIfAborted();
      yield recordsOf(splitter.push(chunk), options);
    }
    yield recordsOf(splitter.end(), options);
  } catch (error) {
    throw errors(error);
  }
}

function* recordsOf(lines: Iterable<Line>, options: FormatOptions): Generator<Found> {
  for (const { number, length, bytes } of lines) {
    if (bytes === undefined) yield { line: number, ...tooLong('line', length, options.maxLineBytes) };
    else if (!isBlank(bytes)) yield { line: number, ...parseLine(bytes, options.expected) };
  }
}

export function tooLong(what: string, length: number, limit: number): Rejection {
  return rejection(
    'too_long',
    `The ${what} is ${count(length)} bytes long, more than the limit of ${count(limit)}.`,
  );
}
