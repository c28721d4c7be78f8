import type { CorpusRow } from '@tocsin/corpus';

/** Rows that are sorted, cut and stored together. More make better parcels, fewer take less memory. */
const WINDOW_ROWS = 4096;
const WINDOW_CHARACTERS = 4 * 1024 * 1024;
/** The first window is small, so that workers have something to do at once. */
const FIRST_WINDOW_ROWS = 512;

/** Gathers a corpus' rows into windows. */
export async function* windowsOf(rows: AsyncIterable<CorpusRow[]>): AsyncGenerator<CorpusRow[]> {
  let window: CorpusRow[] = [];
  let characters = 0;
  let limit = FIRST_WINDOW_ROWS;
  for await (const chunk of rows) {
    for (const row of chunk) {
      window.push(row);
      characters += charactersOf(row);
      if (window.length < limit && characters < WINDOW_CHARACTERS) continue;
      yield window;
      window = [];
      characters = 0;
      limit = WINDOW_ROWS;
    }
  }
  if (window.length > 0) yield window;
}

function charactersOf(row: CorpusRow): number {
  if (row.kind === 'reject') return 0;
  const { content } = row;
  if ('text' in content) return content.text.length;
  if ('messages' in content) return content.messages.length + (content.tools?.length ?? 0);
  return (content.prompt?.length ?? 0) + (content.response?.length ?? 0);
}
