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

/** What a test looks at first: where a row stands, and what it holds or why not. */
export const outcome = (row: CorpusRow): unknown[] => [
  row.key,
  row.line,
  row.kind === 'item' ? row.content : row.reason,
];
