import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { codeOf, INPUT_FORMATS, isUserError, UserError } from '@tocsin/core';
import { glob, isDynamicPattern } from 'tinyglobby';
import { resolveFields } from '../rows/fields.js';
import { jsonLayout } from '../rows/json-values.js';
import { count, printable } from '../rows/wording.js';
import { SHAPE_OF } from '../shapes/index.js';
import { checkSources } from './check-sources.js';
import { checkEncoding } from './encoding.js';
import { inputFormat, KNOWN_EXTENSIONS, namedFormat } from './input-format.js';
import { openText } from './open-source.js';
import type { CorpusReading } from './read-corpus.js';
import { sourceError } from './source-error.js';
import { isPostgres, STDIN, sourceName } from './source-name.js';

/** Names of files that are left out which are shown; the rest is counted. */
const SHOWN_NAMES = 5;

/** A corpus that is there and can be read. */
export interface FoundSources {
  /** As `readCorpus` takes them. */
  sources: string[];
  /** Size of all of them as stored (compressed); undefined when it is unknown (stdin, a query). */
  bytes: number | undefined;
}

/**
 * Find what a corpus is made of, before anything starts: files, stdin (`-`), Postgres databases, and in place of directories
 * and patterns the files that they stand for, sorted by name. A directory stands for the files in it, however deep, whose
 * names end as a format's do (each also with .gz or .zst); hidden files are left out, and `.json` files that hold one
 * object, as settings do. `onNotice` is told what else is left out.
 * Throws a `UserError` for what cannot be read, stands for nothing, or does not fit how it is to be read.
 */
export async function findSources(
  given: readonly string[],
  reading: CorpusReading = {},
  onNotice: (notice: string) => void = () => {},
): Promise<FoundSources> {
  checkReading(given, reading);
  const sources: string[] = [];
  for (const source of given) sources.push(...(await expanded(source, reading, onNotice)));
  const files = sources.filter((source) => !isPostgres(source));
  const { bytes } =
    files.length === 0 && sources.length > 0 ? { bytes: 0 } : await checkSources(files, reading.roots);
  return { sources, bytes: files.length < sources.length ? undefined : bytes };
}

/** Sources without databases and standard input, named so that they are found from any working directory. */
export function absoluteSources(given: readonly string[]): string[] {
  return given.filter((source) => source !== STDIN && !isPostgres(source)).map((source) => resolve(source));
}

/** The files that sources stand for now; what is no longer there stands for none. */
export async function filesOf(sources: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const source of sources) {
    found.push(
      ...(await expanded(source, {}, () => {}).catch((error: unknown) => {
        if (isUserError(error)) return [];
        throw error;
      })),
    );
  }
  return found;
}

/** That a query is there for each database and only for one, and the like. */
function checkReading(given: readonly string[], { format, delimiter, query, encoding }: CorpusReading): void {
  if (encoding !== undefined) checkEncoding(encoding);
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

async function expanded(
  source: string,
  reading: CorpusReading,
  onNotice: (notice: string) => void,
): Promise<string[]> {
  if (source === STDIN || isPostgres(source)) return [source];
  const there = await stat(source).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw sourceError(source, error);
  });
  // A file may be named like a pattern: what is there counts.
  if (there?.isDirectory() === true) return filesIn(source, reading, onNotice);
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

async function filesIn(
  directory: string,
  reading: CorpusReading,
  onNotice: (notice: string) => void,
): Promise<string[]> {
  const inside = await glob('**/*', { cwd: directory, onlyFiles: true });
  const found: string[] = [];
  const leftOut: string[] = [];
  for (const name of inside.sort()) {
    const path = join(directory, name);
    const isCorpus =
      namedFormat(name) !== undefined && (!/\.json$/i.test(name) || (await holdsRows(path, reading)));
    (isCorpus ? found : leftOut).push(isCorpus ? path : name);
  }
  // Not the markers of a finished job: _SUCCESS.
  const named = leftOut.filter((name) => !/(^|\/)_[^.]*$/.test(name));
  const shown = named.slice(0, SHOWN_NAMES).map(printable).join(', ');
  const said = `${shown}${named.length > SHOWN_NAMES ? ', ...' : ''}`;
  const how = `Files in directories are found by the end of their names: ${KNOWN_EXTENSIONS.join(', ')} (each also with .gz or .zst; .json if it holds rows). Others can be named themselves, with --input-format ${INPUT_FORMATS.join('|')}.`;
  if (found.length === 0) {
    const only = named.length === 0 ? '' : `, only ${said}`;
    throw new UserError(`The directory ${sourceName(directory)} holds no file of a corpus${only}.`, {
      hint: how,
    });
  }
  if (named.length > 0) {
    const files = named.length === 1 ? '1 file' : `${count(named.length)} files`;
    onNotice(`${files} of ${sourceName(directory)} left out: ${said}. ${how}`);
  }
  return found;
}

/** Whether a `.json` file is a corpus: lines or an array, or one line with something to score. */
async function holdsRows(path: string, reading: CorpusReading): Promise<boolean> {
  const { head } = await openText(path, { encoding: reading.encoding, roots: reading.roots }).catch(
    (error: unknown) => {
      throw isUserError(error) ? error : sourceError(path, error);
    },
  );
  const text = head.toString('utf8').trim();
  const layout = jsonLayout(head);
  if (layout === 'array') return text.startsWith('[{') || /^\[\s*[{\]]/.test(text);
  if (layout === 'objects') return false;
  if (text.includes('\n')) return text.startsWith('{') || text.startsWith('[');
  try {
    const row: unknown = JSON.parse(text);
    const names = SHAPE_OF[reading.shape ?? 'rows'].contentColumns(resolveFields(reading.fields));
    return (
      typeof row === 'object' &&
      row !== null &&
      names.some((name) => name !== undefined && Object.hasOwn(row, name))
    );
  } catch {
    // An empty file, and a line that is longer than what was looked at or broken: reading it will say so.
    return true;
  }
}
