import { isUserError } from '@tocsin/core';
import { type CorpusRow, rejected, rejection } from '@tocsin/corpus';
import type { Content, Preparation } from '@tocsin/engine';

/**
 * Rows that are sorted, cut and stored together. A larger window makes better parcels, a smaller one needs less memory.
 */
const WINDOW_ROWS = 4096;
const WINDOW_CHARACTERS = 4 * 1024 * 1024;
/** The first window is small, so that workers can start early. */
const FIRST_WINDOW_ROWS = 512;

/** Groups a corpus' rows into windows. */
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

/** A window of rows with their token ids. */
export interface PreparedWindow {
  window: CorpusRow[];
  /** One per row; undefined for a reject. */
  contents: (Content | undefined)[];
}

/** Tokenizes the items of a window. An item that this guard cannot score becomes a reject with the reason. */
export async function prepareWindow(
  preparation: Pick<Preparation, 'contentsOf'>,
  rows: readonly CorpusRow[],
): Promise<PreparedWindow> {
  const items = rows.flatMap((row) => (row.kind === 'item' ? [row.content] : []));
  const prepared = (await preparation.contentsOf(items)).values();
  const window: CorpusRow[] = [];
  const contents: (Content | undefined)[] = [];
  for (const row of rows) {
    const content = row.kind === 'item' ? prepared.next().value : undefined;
    const refused = isUserError(content);
    window.push(refused ? refusedBy(row, content.message) : row);
    contents.push(refused ? undefined : content);
  }
  return { window, contents };
}

function refusedBy(row: CorpusRow, message: string): CorpusRow {
  // A sentence, like the reader's reasons.
  return rejected(row, rejection('guard', `${message.charAt(0).toUpperCase()}${message.slice(1)}.`));
}

/** Yields the values of `source`, and computes the next one while the consumer processes the current one. */
export async function* oneAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = source.next();
      // A rejection is reported when its turn comes; a consumer that returns earlier ignores it.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await source.return(undefined);
  }
}
