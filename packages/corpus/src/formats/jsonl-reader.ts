import type { CorpusRow } from '../rows/row.js';
import { type ReadCorpusOptions, readCorpus } from '../sources/read-corpus.js';

export type ReadJsonlOptions = Omit<ReadCorpusOptions, 'format' | 'delimiter' | 'query'>;

/**
 * Read JSONL files whatever their names, `-` for stdin, as `readCorpus` does.
 *
 * Lines end at LF or CR LF; the last one needs no end. Blank lines are no rows but count as lines. A UTF-8 byte order mark
 * is skipped. An empty file has no rows.
 */
export function readJsonl(
  sources: readonly string[],
  options: ReadJsonlOptions = {},
): AsyncGenerator<CorpusRow[], void, undefined> {
  return readCorpus(sources, { ...options, format: 'jsonl' });
}
