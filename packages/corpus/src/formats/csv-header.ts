import { UserError } from '@tocsin/core';
import { clauseOf, count, printable } from '../rows/wording.js';
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
    hint = 'The first line must name the fields, without duplicates among those that are read.',
  ): UserError =>
    new UserError(`the header of ${sourceName(source)} (line ${record.line}) cannot be used: ${why}`, {
      hint,
    });
  if (/^\s*(\[\s*)?\{\s*"/.test(record.bytes?.toString('latin1', 0, 100) ?? '')) {
    throw new UserError(`${sourceName(source)} cannot be read as a table: it is JSON`, {
      hint: 'Use --input-format jsonl.',
    });
  }
  const fault = faultOf(record, maxLineBytes);
  if (fault?.rejectKind === 'encoding') throw refuse(clauseOf(fault.reason), ENCODING_HINT);
  if (fault !== undefined) {
    const other = tableDelimiter(record.bytes?.toString('utf8') ?? '', columns);
    throw refuse(
      clauseOf(fault.reason),
      other === undefined || other === dialect.delimiter
        ? undefined
        : `The header seems to use another delimiter: use --delimiter ${other === '\t' ? 'tab' : `'${other}'`}.`,
    );
  }
  const names = (cellsOf([record], dialect)[0] ?? []).map((name) => name ?? '');
  const twice = names.find((name, i) => columns.includes(name) && names.indexOf(name) !== i);
  if (twice !== undefined)
    throw refuse(
      `it names ${printable(twice)} twice`,
      'Rename one of them in the first line, or select another column with --text-field NAME or --id-field NAME.',
    );
  return names;
}

/**
 * Maps the columns of a table to the wanted names: without an exact match, "Text" and " text" are read as "text", with a
 * notice. Ambiguous and duplicate columns are left alone.
 */
export function matchedNames(names: readonly string[], source: string, options: FormatOptions): string[] {
  const { contentColumns, idColumn, columns, onNotice } = options;
  // An exact match wins: another spelling is then another column.
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
 * Whether a record repeats the header. Throws a `UserError` when it has the same columns in another order, because later
 * rows would get the wrong names.
 */
export function repeatsHeader(
  cells: readonly Cell[],
  header: readonly string[],
  line: number,
  source: string,
): boolean {
  if (cells.length !== header.length) return false;
  if (header.every((name, i) => (cells[i] ?? '') === name)) return true;
  // Cheap check first: the first cell nearly always rules out a header.
  if (header.length < 2 || !header.includes(cells[0] ?? '')) return false;
  const sorted = cells.map((cell) => cell ?? '').sort();
  if (![...header].sort().every((name, i) => name === sorted[i])) return false;
  throw new UserError(
    `${sourceName(source)} cannot be read: line ${count(line)} repeats the header with the columns in another order`,
    { hint: 'Name the concatenated files separately, or concatenate them with the same column order.' },
  );
}
