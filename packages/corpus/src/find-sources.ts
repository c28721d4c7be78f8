import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { codeOf, UserError } from '@tocsin/errors';
import { glob, isDynamicPattern } from 'tinyglobby';
import { checkSources } from './check-sources.js';
import { INPUT_FORMATS, inputFormat, KNOWN_EXTENSIONS, namedFormat } from './input-format.js';
import type { CorpusReading } from './read-corpus.js';
import { sourceError } from './source-error.js';
import { isPostgres, STDIN, sourceName } from './source-name.js';

/** A corpus that is there and can be read. */
export interface FoundSources {
  /** As `readCorpus` takes them. */
  sources: string[];
  /** Size of all of them as stored (compressed); undefined when nobody can know (stdin, a query). */
  bytes: number | undefined;
}

/**
 * Find what a corpus is made of, before anything starts: files, stdin (`-`), Postgres databases, and in place of directories
 * and patterns the files that they stand for, sorted by name. A directory stands for the files in it, however deep, whose
 * names end as a format's do (each also with .gz or .zst); hidden files are left out.
 * Throws a `UserError` for what cannot be read, stands for nothing, or does not fit how it is to be read.
 */
export async function findSources(
  given: readonly string[],
  reading: CorpusReading = {},
): Promise<FoundSources> {
  checkReading(given, reading);
  const sources: string[] = [];
  for (const source of given) sources.push(...(await expanded(source)));
  const files = sources.filter((source) => !isPostgres(source));
  const { bytes } = files.length === 0 && sources.length > 0 ? { bytes: 0 } : await checkSources(files);
  return { sources, bytes: files.length < sources.length ? undefined : bytes };
}

/** That a query is there for each database and only for one, and the like. */
function checkReading(given: readonly string[], { format, delimiter, query }: CorpusReading): void {
  const database = given.find(isPostgres);
  if (database !== undefined && (query === undefined || query.trim() === '')) {
    throw new UserError(`${sourceName(database)} is a database: its rows are those of a query.`, {
      hint: 'Give it with --query "select id, text from ...", or in a file with --query-file.',
    });
  }
  if (database === undefined && query !== undefined) {
    throw new UserError('A query was given, and no database.', {
      hint: 'Name one as a source: postgres://user@host:5432/database',
    });
  }
  // Says which ones there are.
  if (format !== undefined) inputFormat('', format);
  if (delimiter === undefined) return;
  if (!/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === '"') {
    throw new UserError('The delimiter must be one ASCII character, and no quote.', {
      hint: 'For example --delimiter ";" or --delimiter tab.',
    });
  }
}

async function expanded(source: string): Promise<string[]> {
  if (source === STDIN || isPostgres(source)) return [source];
  const there = await stat(source).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw sourceError(source, error);
  });
  // A file may be named like a pattern: what is there counts.
  if (there?.isDirectory() === true) return filesIn(source);
  if (there !== undefined || !isDynamicPattern(source)) return [source];
  const found = await glob(source, {
    onlyFiles: true,
    expandDirectories: false,
    absolute: isAbsolute(source),
  });
  if (found.length > 0) return found.sort();
  throw new UserError(`No file is named like ${sourceName(source)}.`, {
    hint: `Patterns know * ** ? [ ] { }; relative ones start at ${process.cwd()}.`,
  });
}

async function filesIn(directory: string): Promise<string[]> {
  const inside = await glob('**/*', { cwd: directory, onlyFiles: true });
  const names = inside.map((name) => join(directory, name));
  const found = names.filter((name) => namedFormat(name) !== undefined);
  if (found.length > 0) return found.sort();
  throw new UserError(`The directory ${sourceName(directory)} holds no file of a corpus.`, {
    hint: `Files in directories are found by the end of their names: ${KNOWN_EXTENSIONS.join(', ')} (each also with .gz or .zst). Others can be named themselves, with --input-format ${INPUT_FORMATS.join('|')}.`,
  });
}
