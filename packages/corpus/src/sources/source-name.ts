import { basename } from 'node:path';
import { addressOf, INPUT_FORMATS, type InputFormat, UserError } from '@tocsin/core';

/** The source that stands for standard input. */
export const STDIN = '-';

/** Whether a source is a Postgres URL. */
export function isPostgres(source: string): boolean {
  return /^postgres(ql)?:\/\//i.test(source);
}

/** A source for display: a database URL loses its password. */
export function sourceLabel(source: string): string {
  return isPostgres(source) ? addressOf(source) : source;
}

/** A source's name in messages. */
export function sourceName(source: string): string {
  return source === STDIN ? 'stdin' : JSON.stringify(sourceLabel(source));
}

/**
 * The prefix of `line:42` in the keys of rows without an id, per source: empty for a single source, else the file name and
 * a colon (the given path when two files share a name).
 */
export function keyPrefixes(sources: readonly string[]): string[] {
  if (sources.length < 2) return sources.map(() => '');
  const labels = sources.map(sourceLabel);
  const names = labels.map((source) => (source === STDIN ? 'stdin' : basename(source)));
  const distinct = new Set(names).size === names.length;
  return (distinct ? names : labels).map((name) => `${name}:`);
}

/**
 * The key of a row without an id: its position. Prefixed with the unit, because a bare number could collide with ids.
 */
export function placeKey(prefix: string, unit: 'line' | 'row', number: number): string {
  return `${prefix}${unit}:${number}`;
}

/** Whether `placeKey` could have returned a key. */
export function isPlaceKey(key: string): boolean {
  return /(?:^|:)(?:line|row):\d+$/.test(key);
}

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
