import { withoutBom } from '../file-kind.js';
import { isBlank } from '../line-splitter.js';
import { type CsvRecord, CsvSplitter } from './csv-splitter.js';
import type { FormatOptions } from './format-options.js';

/** How a table is written. */
export interface CsvDialect {
  delimiter: string;
  /** Whether the first line is `sep=;`, which Excel reads, and which is no header. */
  sepLine: boolean;
  /** Whether quotes are quotes; else they are characters. */
  quoting: boolean;
  /** Whether that is a guess, which a later record may refute. */
  guessed: boolean;
}

const SEP_LINE = /^"?sep=([\t\x20-\x7e])"?\r?(\n|$)/i;

/** The dialect of a table that begins with `head`: as the options say, else as it looks. */
export function csvDialect(head: Buffer, options: FormatOptions, given: string): CsvDialect {
  const sep = SEP_LINE.exec(head.subarray(0, 16).toString('latin1'));
  const delimiter = options.delimiter ?? sep?.[1] ?? given;
  const sepLine = sep !== null;
  if (options.quote !== undefined)
    return { delimiter, sepLine, quoting: options.quote !== 'none', guessed: false };
  if (delimiter !== '\t') return { delimiter, sepLine, quoting: true, guessed: false };
  // Who quotes the header quotes the rows.
  if (/^[^\n]*"/.test(headerText(head, sepLine)))
    return { delimiter, sepLine, quoting: true, guessed: false };
  return { delimiter, sepLine, quoting: !looksUnquoted(head, sepLine), guessed: true };
}

function headerText(head: Buffer, sepLine: boolean): string {
  const text = head.toString('latin1');
  return sepLine ? text.slice(text.indexOf('\n') + 1) : text;
}

/** Whether the quotes of a record cannot have been meant as quotes: its lines are records when they are characters. */
export function isUnquoted(record: CsvRecord, fields: number): boolean {
  if (!record.quoting || !record.shaped || record.bytes === undefined) return false;
  // In a table of one column, every line looks like a record.
  return record.fault !== undefined || (record.lines > 1 && fields > 1);
}

function looksUnquoted(head: Buffer, sepLine: boolean): boolean {
  const splitter = new CsvSplitter('\t'.charCodeAt(0), head.length);
  splitter.impatient = true;
  let before = sepLine ? 1 : 0;
  // What is cut off by the end of the sample says nothing.
  for (const record of splitter.push(head)) {
    if (record.bytes !== undefined && isBlank(record.bytes)) continue;
    if (before > 0) before -= 1;
    else if (splitter.fields === 0) splitter.fields = fieldCount(record);
    else if (isUnquoted(record, splitter.fields)) return true;
  }
  return false;
}

/** The lines of a record whose quotes are characters, as records. */
export function* linesOf(record: CsvRecord): Generator<CsvRecord> {
  const bytes = record.bytes ?? Buffer.alloc(0);
  let line = record.line;
  for (let from = 0; from <= bytes.length; line += 1) {
    const lf = bytes.indexOf(0x0a, from);
    const end = lf === -1 ? bytes.length : lf;
    const length = (lf !== -1 || line > record.line) && bytes[end - 1] === 0x0d ? end - 1 - from : end - from;
    yield {
      ...{ line, length, bytes: bytes.subarray(from, from + length) },
      ...{ emptyQuotes: false, fault: undefined, quoting: false, lines: 1, shaped: true },
    };
    from = end + 1;
    if (lf === -1) break;
  }
}

/** Fields of a header, before its cells are read. */
function fieldCount({ bytes }: CsvRecord): number {
  return withoutBom(bytes ?? Buffer.alloc(0))
    .toString('latin1')
    .split('\t').length;
}
