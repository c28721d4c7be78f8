import { isUserError, UserError } from '@tocsin/core';
import type { CorpusRow } from '@tocsin/corpus';

/** A file that came with a request. */
export interface UploadedFile {
  path: string;
  /** As the client calls it. */
  name: string;
}

/** Where a file lies on the server is nobody's business: reasons of rows call it what the client calls it. */
export function rowInShownNames(files: readonly UploadedFile[]): (row: CorpusRow) => CorpusRow {
  const names = new Map(files.map(({ path, name }) => [path, name]));
  return (row) => ({ ...row, file: names.get(row.file) ?? row.file });
}

/** The same for a note on the corpus, which quotes what it names. */
export function noteInShownNames(note: string, files: readonly UploadedFile[]): string {
  return files.reduce(
    (text, { path, name }) =>
      text.replaceAll(JSON.stringify(path), JSON.stringify(name)).replaceAll(path, name),
    note,
  );
}

/** The same for what was thrown. */
export function errorInShownNames(error: unknown, files: readonly UploadedFile[]): unknown {
  if (!isUserError(error)) return error;
  const message = files.reduce((text, { path, name }) => text.replaceAll(path, name), error.message);
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new UserError(message, { cause: error, ...hint });
}
