import { UserError } from '@tocsin/core';
import { JsonValueSplitter, jsonLayout } from '../rows/json-values.js';
import { parseLine } from '../rows/parse-row.js';
import { type Rejection, rejection } from '../rows/row.js';
import type { Found } from '../rows/source-record.js';
import { count } from '../rows/wording.js';
import { withoutBom } from '../sources/file-kind.js';
import { isBlank, LineSplitter } from '../sources/line-splitter.js';
import { openText } from '../sources/open-source.js';
import { readingErrors } from '../sources/source-error.js';
import { sourceName } from '../sources/source-name.js';
import type { FormatOptions } from './format-options.js';

/**
 * The records of a JSON file, in batches per chunk: lines (blank ones are skipped), the elements of an array, or objects
 * over several lines. The "line" of the latter two is their number in the file.
 */
export async function* jsonlRecords(source: string, options: FormatOptions): AsyncGenerator<Iterable<Found>> {
  let where = (): string => 'before line 1';
  const errors = readingErrors(source, () => where(), options.signal);
  try {
    const { head, all } = await openText(source, options);
    options.onHead?.(head);
    const layout = options.isJsonLines === true ? 'lines' : jsonLayout(head);
    if (layout === 'lines') {
      const splitter = new LineSplitter(options.maxLineBytes);
      where = () => `after line ${count(splitter.lines)}`;
      for await (const chunk of all) {
        options.signal?.throwIfAborted();
        yield recordsOf(splitter.push(chunk), options);
      }
      yield recordsOf(splitter.end(), options);
      return;
    }
    const splitter = new JsonValueSplitter(layout, options.maxLineBytes);
    where = () => `after row ${count(splitter.values)}`;
    for await (const chunk of all) {
      options.signal?.throwIfAborted();
      yield recordsOf(splitter.push(chunk), options, 'element');
    }
    yield recordsOf(splitter.end(), options, 'element');
    if (splitter.open) throw neverClosed(source, where());
  } catch (error) {
    throw errors(error);
  }
}

function* recordsOf(
  parts: Iterable<{ number: number; length: number; bytes: Buffer | undefined }>,
  options: FormatOptions,
  what: 'line' | 'element' = 'line',
): Generator<Found> {
  for (const { number, length, bytes } of parts) {
    const place = { line: number, ...(what === 'element' && { unit: 'row' as const }) };
    if (bytes === undefined) yield { ...place, ...tooLong(what, length, options.maxLineBytes) };
    else if (!isBlank(bytes)) {
      const found = parseLine(withoutBom(bytes), options.expected, what);
      if ('reason' in found && found.rejectKind === 'encoding') options.onBroken?.(bytes);
      yield { ...place, ...found };
    }
  }
}

function neverClosed(source: string, where: string): UserError {
  return new UserError(`the JSON array of ${sourceName(source)} is never closed, ${where}`, {
    hint: 'The file is truncated or lacks a bracket: fetch it again or fix it.',
  });
}

export function tooLong(what: string, length: number, limit: number): Rejection {
  return rejection(
    'too_long',
    `The ${what} is ${count(length)} bytes long, more than the limit of ${count(limit)}.`,
  );
}
