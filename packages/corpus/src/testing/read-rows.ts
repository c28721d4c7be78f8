import type { CorpusRow } from '../rows/row.js';
import { type ReadCorpusOptions, readCorpus } from '../sources/read-corpus.js';

/** All rows of sources. */
export async function readRows(
  sources: string | readonly string[],
  options: ReadCorpusOptions = {},
): Promise<CorpusRow[]> {
  const rows: CorpusRow[] = [];
  for await (const chunk of readCorpus([sources].flat(), options)) rows.push(...chunk);
  return rows;
}

/** A row's position, with its content or reason. */
export const outcome = (row: CorpusRow): unknown[] => [
  row.key,
  row.line,
  row.kind === 'item' ? row.content : row.reason,
];
