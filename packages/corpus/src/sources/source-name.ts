import { basename } from 'node:path';
import { addressOf } from '@tocsin/core';

/** The source that stands for standard input. */
export const STDIN = '-';

/** True for the address of a Postgres database. */
export function isPostgres(source: string): boolean {
  return /^postgres(ql)?:\/\//i.test(source);
}

/** A source as people and tables may see it: the address of a database without its password. */
export function sourceLabel(source: string): string {
  return isPostgres(source) ? addressOf(source) : source;
}

/** How a message names a source. */
export function sourceName(source: string): string {
  return source === STDIN ? 'stdin' : JSON.stringify(sourceLabel(source));
}

/**
 * What stands before `line:42` in the key of a row without an id, one per source: nothing for a single
 * source, else the file's name and a colon (the paths as given when two files share a name).
 */
export function keyPrefixes(sources: readonly string[]): string[] {
  if (sources.length < 2) return sources.map(() => '');
  const labels = sources.map(sourceLabel);
  const names = labels.map((source) => (source === STDIN ? 'stdin' : basename(source)));
  const distinct = new Set(names).size === names.length;
  return (distinct ? names : labels).map((name) => `${name}:`);
}

/**
 * The key of a row without an id that can be one: where it stands. An id cannot be taken for it by accident (a bare
 * number could: many ids are numbers).
 */
export function placeKey(prefix: string, unit: 'line' | 'row', number: number): string {
  return `${prefix}${unit}:${number}`;
}

/** True for a key that `placeKey` could have given. */
export function isPlaceKey(key: string): boolean {
  return /(?:^|:)(?:line|row):\d+$/.test(key);
}
