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

/** Extensions of corpus files in a directory; each also with .gz, .gzip, .zst or .zstd. */
export const KNOWN_EXTENSIONS: readonly string[] = [...FORMAT_OF.keys()];

/** The format by a file's extension, ignoring `.gz`, `.zst` and the like. */
export function namedFormat(source: string): InputFormat | undefined {
  const [extension] = /\.[^./\\]*$/.exec(source.replace(/\.(gz|gzip|zst|zstd)$/i, '')) ?? [''];
  return FORMAT_OF.get(extension.toLowerCase());
}

/** The format of a source: the given one, else by its name, else JSONL. */
export function inputFormat(source: string, given?: string): InputFormat | 'postgres' {
  if (isPostgres(source)) return 'postgres';
  if (given === undefined) return namedFormat(source) ?? 'jsonl';
  const known = INPUT_FORMATS.find((one) => one === given);
  if (known !== undefined) return known;
  throw new UserError(`unknown input format "${given}"`, {
    hint: `Known formats: ${INPUT_FORMATS.join(', ')}.`,
  });
}
