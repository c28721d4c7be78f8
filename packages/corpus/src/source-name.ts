import { basename } from 'node:path';

/** The source that stands for standard input. */
export const STDIN = '-';

/** How a message names a source. */
export function sourceName(source: string): string {
  return source === STDIN ? 'stdin' : JSON.stringify(source);
}

/**
 * What stands before the line number in the key of a row without an id, one per source: nothing for a single
 * source, else the file's name and a colon (the paths as given when two files share a name).
 */
export function keyPrefixes(sources: readonly string[]): string[] {
  if (sources.length < 2) return sources.map(() => '');
  const names = sources.map((source) => (source === STDIN ? 'stdin' : basename(source)));
  const distinct = new Set(names).size === names.length;
  return (distinct ? names : sources).map((name) => `${name}:`);
}
