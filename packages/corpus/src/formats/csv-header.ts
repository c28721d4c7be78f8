import { UserError } from '@tocsin/core';
import { count, printable } from '../rows/wording.js';
import { ENCODING_HINT } from '../sources/encoding.js';
import { sourceName } from '../sources/source-name.js';
import { tableDelimiter } from '../sources/text-remedy.js';
import { type Cell, cellsOf, faultOf } from './csv-cells.js';
import type { CsvDialect } from './csv-dialect.js';
import type { CsvRecord } from './csv-splitter.js';
import type { FormatOptions } from './format-options.js';

export function headerOf(
  record: CsvRecord,
  source: string,
  dialect: CsvDialect,
  { maxLineBytes, columns }: FormatOptions,
): string[] {
  const refuse = (
    why: string,
    hint = 'The first line of CSV names the fields, each that is read once.',
  ): UserError =>
    new UserError(`The header of ${sourceName(source)} (line ${record.line}) cannot be used: ${why}`, {
      hint,
    });
  if (/^\s*(\[\s*)?\{\s*"/.test(record.bytes?.toString('latin1', 0, 100) ?? '')) {
    throw new UserError(`${sourceName(source)} holds JSON; a table was expected.`, {
      hint: 'Say so: --input-format jsonl.',
    });
  }
  const fault = faultOf(record, maxLineBytes);
  if (fault?.rejectKind === 'encoding') throw refuse(fault.reason, ENCODING_HINT);
  if (fault !== undefined) {
    const other = tableDelimiter(record.bytes?.toString('utf8') ?? '', columns);
    throw refuse(
      fault.reason,
      other === undefined || other === dialect.delimiter
        ? undefined
        : `Its header looks like one with another delimiter: give --delimiter ${other === '\t' ? 'tab' : `'${other}'`}.`,
    );
  }
  const names = (cellsOf([record], dialect)[0] ?? []).map((name) => name ?? '');
  const twice = names.find((name, i) => columns.includes(name) && names.indexOf(name) !== i);
  if (twice !== undefined)
    throw refuse(
      `It names ${printable(twice)} twice.`,
      'Give one of them another name in the first line, or read another column: --text-field NAME, --id-field NAME.',
    );
  return names;
}

/**
 * The columns of a table by the names that are looked for: where none is written like that, "Text" and " text" pass for
 * "text", which is said. A column that could pass for two, or stands there twice, stays as it is.
 */
export function matchedNames(names: readonly string[], source: string, options: FormatOptions): string[] {
  const { contentColumns, idColumn, columns, onNotice } = options;
  // A text that is found by its own name is the text: another spelling beside it is another column.
  const hasContent = names.some((name) => contentColumns.includes(name));
  const renamed = [...names];
  for (const wanted of columns) {
    if (names.includes(wanted) || (hasContent && contentColumns.includes(wanted))) continue;
    if (wanted !== idColumn && !contentColumns.includes(wanted)) continue;
    const alike = names.flatMap((name, at) => (plain(name) === plain(wanted) ? [at] : []));
    const [at] = alike;
    if (at === undefined || alike.length > 1) continue;
    onNotice?.(
      `${sourceName(source)}: the column ${printable(names[at] ?? '')} is read as ${printable(wanted)}.`,
    );
    renamed[at] = wanted;
  }
  return renamed;
}

const plain = (name: string): string => name.trim().toLowerCase();

/**
 * Whether a record is the header once more. Throws a `UserError` when it names the same columns in another order, as what
 * follows would get the wrong names.
 */
export function repeatsHeader(
  cells: readonly Cell[],
  header: readonly string[],
  line: number,
  source: string,
): boolean {
  if (cells.length !== header.length) return false;
  if (header.every((name, i) => (cells[i] ?? '') === name)) return true;
  // Names are short: the first cell is nearly always enough to see that it is no header.
  if (header.length < 2 || !header.includes(cells[0] ?? '')) return false;
  const sorted = cells.map((cell) => cell ?? '').sort();
  if (![...header].sort().every((name, i) => name === sorted[i])) return false;
  throw new UserError(
    `Line ${count(line)} of ${sourceName(source)} is a header with the columns in another order.`,
    { hint: 'Name the files that were joined one by one, or join them with their columns in one order.' },
  );
}
