import { isUserError } from '@tocsin/core';
import { type CorpusRow, rejected, rejection } from '@tocsin/corpus';
import type { Content, Preparation } from '@tocsin/engine';

/** A window of rows, and what the model sees of each. */
export interface PreparedWindow {
  window: CorpusRow[];
  /** One for each row; undefined for a reject. */
  contents: (Content | undefined)[];
}

/** Prepares the items of a window. One that this guard cannot score becomes a reject with the reason. */
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
  // As the reader's reasons are: a sentence.
  return rejected(row, rejection('guard', `${message.charAt(0).toUpperCase()}${message.slice(1)}.`));
}
