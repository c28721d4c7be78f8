import { withoutBom } from '../sources/file-kind.js';
import { isBlank } from '../sources/line-splitter.js';
import { type CsvRecord, CsvSplitter, SINGLE_QUOTE } from './csv-splitter.js';
import type { FormatOptions } from './format-options.js';

/** The dialect of a CSV or TSV file. */
export interface CsvDialect {
  delimiter: string;
  /** Whether the first line is Excel's `sep=;`, which is not a header. */
  sepLine: boolean;
  /** Whether quotes enclose fields; otherwise they are plain characters. */
  quoting: boolean;
  /** Whether a quote within quotes is escaped as \\" (Spark, MySQL) instead of doubled. */
  escaping: boolean;
  /** Whether the quote is a single quote. */
  single: boolean;
  /** Whether the quoting is a guess that a later record may refute. */
  guessed: boolean;
}

const SEP_LINE = /^"?sep=([\t\x20-\x7e])"?\r?(\n|$)/i;

/** The dialect of a table that starts with `head`: from the options, else detected. */
export function csvDialect(head: Buffer, options: FormatOptions, given: string): CsvDialect {
  const sep = SEP_LINE.exec(head.subarray(0, 16).toString('latin1'));
  const delimiter = options.delimiter ?? sep?.[1] ?? given;
  const sepLine = sep !== null;
  const quoted = { delimiter, sepLine, quoting: true, escaping: false, single: false, guessed: false };
  const { quote } = options;
  if (quote !== undefined) {
    return {
      ...quoted,
      quoting: quote !== 'none',
      escaping: quote === 'backslash',
      single: quote === 'single',
    };
  }
  if (looksEscaped(head, delimiter)) return { ...quoted, escaping: true };
  // A quoted header means quoted rows.
  if (delimiter !== '\t' || /^[^\n]*"/.test(headerText(head, sepLine))) return quoted;
  return { ...quoted, quoting: !looksUnquoted(head, sepLine), guessed: true };
}

function headerText(head: Buffer, sepLine: boolean): string {
  const text = head.toString('latin1');
  return sepLine ? text.slice(text.indexOf('\n') + 1) : text;
}

/** Whether the quotes of a record are plain characters: read that way, its lines are valid records. */
export function isUnquoted(record: CsvRecord, fields: number): boolean {
  if (!record.quoting || !record.shaped || record.bytes === undefined) return false;
  // With a single column, every line looks like a record.
  return record.fault !== undefined || (record.lines > 1 && fields > 1);
}

/** Whether quotes that fail as doubled quotes work as backslash escapes. */
function looksEscaped(head: Buffer, delimiter: string): boolean {
  if (!head.includes('\\"')) return false;
  const doubled = faults(head, delimiter, false);
  if (doubled === 0) return false;
  const escaped = faults(head, delimiter, true);
  return delimiter === '\t' ? escaped === 0 : escaped < doubled;
}

/** Number of records in a sample with invalid quotes, ignoring one that the end of the sample may have cut. */
function faults(head: Buffer, delimiter: string, escaping: boolean): number {
  const splitter = new CsvSplitter(delimiter.charCodeAt(0), head.length);
  splitter.escaping = escaping;
  let found = 0;
  const whole = head.at(-1) === 0x0a ? head : Buffer.concat([head, Buffer.from('\n')]);
  for (const { fault } of splitter.push(whole)) if (fault !== undefined) found += 1;
  return found;
}

/**
 * Splits a record with a stray quote: its first line, read with quotes as plain characters, and the records after it.
 */
export function* recordsWithin(record: CsvRecord, fields: number, like: CsvDialect): Generator<CsvRecord> {
  const bytes = record.bytes ?? Buffer.alloc(0);
  const [first] = linesOf(record);
  if (first !== undefined) yield first;
  const splitter = new CsvSplitter(like.delimiter.charCodeAt(0), bytes.length);
  splitter.escaping = like.escaping;
  if (like.single) splitter.quote = SINGLE_QUOTE;
  splitter.impatient = true;
  splitter.fields = fields;
  splitter.line = record.line + 1;
  const rest = bytes.subarray(bytes.indexOf(0x0a) + 1);
  for (const records of [splitter.push(rest), splitter.end()]) {
    for (const one of records) {
      if (swallowsRecords(one, fields)) yield* recordsWithin(one, fields, like);
      else yield one;
    }
  }
}

/** Whether a record of CSV with a faulty quote has lines that look like records of their own. */
export function swallowsRecords(record: CsvRecord, fields: number): boolean {
  return record.fault !== undefined && record.lines > 1 && isUnquoted(record, fields) && fields > 1;
}

function looksUnquoted(head: Buffer, sepLine: boolean): boolean {
  const splitter = new CsvSplitter('\t'.charCodeAt(0), head.length);
  splitter.impatient = true;
  let before = sepLine ? 1 : 0;
  // The sample's last line may be cut: ignore it.
  for (const record of splitter.push(head)) {
    if (record.bytes !== undefined && isBlank(record.bytes)) continue;
    if (before > 0) before -= 1;
    else if (splitter.fields === 0) splitter.fields = fieldCount(record);
    else if (isUnquoted(record, splitter.fields)) return true;
  }
  return false;
}

/** The lines of a record as records, with quotes as plain characters. */
export function* linesOf(record: CsvRecord): Generator<CsvRecord> {
  const bytes = record.bytes ?? Buffer.alloc(0);
  let line = record.line;
  for (let from = 0; from <= bytes.length; line += 1) {
    const lf = bytes.indexOf(0x0a, from);
    const end = lf === -1 ? bytes.length : lf;
    const length = (lf !== -1 || line > record.line) && bytes[end - 1] === 0x0d ? end - 1 - from : end - from;
    yield {
      line,
      length,
      bytes: bytes.subarray(from, from + length),
      emptyQuotes: false,
      fault: undefined,
      quoting: false,
      lines: 1,
      shaped: true,
    };
    from = end + 1;
    if (lf === -1) break;
  }
}

/** Number of fields in a header, before it is parsed. */
function fieldCount({ bytes }: CsvRecord): number {
  return withoutBom(bytes ?? Buffer.alloc(0))
    .toString('latin1')
    .split('\t').length;
}
