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
import { openText } from './open-source.js';
import type { CorpusReading } from './read-corpus.js';
import { sourceError } from './source-error.js';
import { inputFormat, isPostgres, KNOWN_EXTENSIONS, namedFormat, STDIN, sourceName } from './source-name.js';

/** Skipped file names that are shown; the rest is counted. */
const SHOWN_NAMES = 5;

/** A readable corpus. */
export interface FoundSources {
  /** Sources for `readCorpus`. */
  sources: string[];
  /** Total stored (compressed) size; undefined when unknown (stdin, a query). */
  bytes: number | undefined;
}

/**
 * Resolves the sources of a corpus: files, stdin (`-`), Postgres databases, and the files of directories and patterns,
 * sorted by name. A directory includes files at any depth with a known extension (each also with .gz or .zst), except
 * hidden files and `.json` files with a single object, such as settings. `onNotice` is called with other skipped files.
 * @throws UserError for unreadable sources, patterns without matches, and options that do not fit
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

/** Sources except databases and stdin, as absolute paths. */
export function absoluteSources(given: readonly string[]): string[] {
  return given.filter((source) => source !== STDIN && !isPostgres(source)).map((source) => resolve(source));
}

/** The current files of sources; missing ones are skipped. */
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

/** Checks that options fit the sources, e.g. a query for a database and only then. */
function checkReading(given: readonly string[], { format, delimiter, query, encoding }: CorpusReading): void {
  if (encoding !== undefined) checkEncoding(encoding);
  const database = given.find(isPostgres);
  if (database !== undefined && (query === undefined || query.trim() === '')) {
    throw new UserError(`${sourceName(database)} cannot be read without a query`, {
      hint: 'Set it with --query "select id, text from ...", or in a file with --query-file.',
    });
  }
  if (database === undefined && query !== undefined) {
    throw new UserError('a query needs a database', {
      hint: 'Name one as a source: postgres://user@host:5432/database',
    });
  }
  // Throws with the list of known formats.
  if (format !== undefined) inputFormat('', format);
  if (delimiter === undefined) return;
  if (!/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === '"') {
    throw new UserError('the delimiter must be one ASCII character other than a quote', {
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
  // A file may be named like a pattern: an existing file wins.
  if (there?.isDirectory() === true) return filesIn(source, reading, onNotice);
  if (there !== undefined || !isDynamicPattern(source)) return [source];
  const found = await glob(source, {
    onlyFiles: true,
    expandDirectories: false,
    absolute: isAbsolute(source),
  });
  if (found.length > 0) return found.sort();
  throw new UserError(`no file matches ${sourceName(source)}`, {
    hint: `Patterns support * ** ? [ ] { }; relative ones start at ${process.cwd()}.`,
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
  // Skip markers of finished jobs: _SUCCESS.
  const named = leftOut.filter((name) => !/(^|\/)_[^.]*$/.test(name));
  const shown = named.slice(0, SHOWN_NAMES).map(printable).join(', ');
  const said = `${shown}${named.length > SHOWN_NAMES ? ', ...' : ''}`;
  const how = `Files in directories are found by extension: ${KNOWN_EXTENSIONS.join(', ')} (each also with .gz or .zst; .json if it holds rows). Name other files explicitly, with --input-format ${INPUT_FORMATS.join('|')}.`;
  if (found.length === 0) {
    const only = named.length === 0 ? '' : `, only ${said}`;
    throw new UserError(`the directory ${sourceName(directory)} contains no corpus file${only}`, {
      hint: how,
    });
  }
  if (named.length > 0) {
    const files = named.length === 1 ? '1 file' : `${count(named.length)} files`;
    onNotice(`skipped ${files} of ${sourceName(directory)}: ${said}. ${how}`);
  }
  return found;
}

/** Whether a `.json` file is a corpus: lines, an array, or one line with something to score. */
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
    // Empty, broken, or longer than the sample: reading it will tell.
    return true;
  }
}
