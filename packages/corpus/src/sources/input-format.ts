import { INPUT_FORMATS, type InputFormat, UserError } from '@tocsin/core';
import { isPostgres } from './source-name.js';

const FORMAT_OF: ReadonlyMap<string, InputFormat> = new Map([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.json', 'jsonl'],
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
  ['.parquet', 'parquet'],
]);

/** The endings by which files are found in a directory; each also with .gz, .gzip, .zst or .zstd. */
export const KNOWN_EXTENSIONS: readonly string[] = [...FORMAT_OF.keys()];

/** The format that a file's name says, looked for before `.gz`, `.zst` and the like. */
export function namedFormat(source: string): InputFormat | undefined {
  const [extension] = /\.[^./\\]*$/.exec(source.replace(/\.(gz|gzip|zst|zstd)$/i, '')) ?? [''];
  return FORMAT_OF.get(extension.toLowerCase());
}

/** How to read a source: the given format, else the one that its name says, else JSONL. */
export function inputFormat(source: string, given?: string): InputFormat | 'postgres' {
  if (isPostgres(source)) return 'postgres';
  if (given === undefined) return namedFormat(source) ?? 'jsonl';
  const known = INPUT_FORMATS.find((one) => one === given);
  if (known !== undefined) return known;
  throw new UserError(`There is no format "${given}" for a corpus.`, {
    hint: `Possible are ${INPUT_FORMATS.join(', ')}.`,
  });
}
