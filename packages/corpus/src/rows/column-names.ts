import type { FormatOptions } from '../formats/format-options.js';
import { sourceName } from '../sources/source-name.js';
import { printable } from './parse-row.js';

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
