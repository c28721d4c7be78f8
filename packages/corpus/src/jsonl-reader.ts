import { constants } from 'node:buffer';
import type { Readable } from 'node:stream';
import { codeOf, isUserError, UserError } from '@tocsin/errors';
import { type CorpusFields, type FieldLookup, resolveFields } from './fields.js';
import { DamagedGzip } from './gunzip.js';
import { isBlank, type Line, LineSplitter } from './line-splitter.js';
import { type OpenSourceOptions, openSource } from './open-source.js';
import { type ParsedRow, parseRow } from './parse-row.js';
import type { CorpusRow } from './row.js';
import { sourceError } from './source-error.js';
import { keyPrefixes, sourceName } from './source-name.js';
import { count } from './wording.js';

const MB = 1024 * 1024;
export const DEFAULT_MAX_LINE_BYTES = 64 * MB;
/** Rows yielded at once, at most. */
const CHUNK_ROWS = 1000;

export interface ReadJsonlOptions {
  /** Names that differ from `DEFAULT_FIELDS`. */
  fields?: Partial<CorpusFields>;
  /** Further fields whose values are wanted as they are: `row.kept`, of items and rejects. */
  keep?: readonly string[];
  /** A longer line is a reject, and is never held in memory. Default: 64 MiB. */
  maxLineBytes?: number;
  /** Stands for the source `-`; `process.stdin` if not given. It is destroyed after use. */
  stdin?: Readable;
  /** Ends the reading; the generator then throws the signal's reason. */
  signal?: AbortSignal;
  /** Called with the bytes consumed of all sources as stored (compressed); `checkSources` gives their total. */
  onBytes?: (bytes: number) => void;
}

/**
 * Read JSONL files, `-` for stdin, gzip or not, in order and in constant memory, a few hundred rows at a time.
 *
 * - Lines end at LF or CR LF; the last one needs no end. Blank lines are no rows but count as lines. A UTF-8 byte order
 *   mark is skipped. An empty file has no rows.
 * - A row is an object with a string `text`, or with a string `prompt` and/or `response`, or with an array `messages` and
 *   perhaps `tools`; null counts as absent.
 *   An empty text is a text, and so is one with U+0000. Everything else is a reject, and the next rows go on.
 * - The key is the row's `id` (string or number), else its line number ("17"; "name.jsonl:17" with several sources).
 *   Equal keys are allowed: each row is kept.
 *
 * Throws a `UserError` for what is wrong with a file as a whole (missing, UTF-16, damaged gzip, ...), after the rows
 * before it.
 */
export async function* readJsonl(
  sources: readonly string[],
  options: ReadJsonlOptions = {},
): AsyncGenerator<CorpusRow[], void, undefined> {
  const fields = resolveFields(options.fields);
  const maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  if (!(maxLineBytes >= 1 && maxLineBytes <= constants.MAX_STRING_LENGTH)) {
    throw new UserError(`The longest line must be of 1 to ${count(constants.MAX_STRING_LENGTH)} bytes.`);
  }
  const prefixes = keyPrefixes(sources);
  let bytes = 0;
  const onChunk = (size: number): void => {
    bytes += size;
    options.onBytes?.(bytes);
  };
  let seq = 0;
  for (const [i, file] of sources.entries()) {
    const prefix = prefixes[i] ?? '';
    for await (const lines of linesOf(file, maxLineBytes, { ...options, onChunk })) {
      let rows: CorpusRow[] = [];
      for (const line of lines) {
        if (line.bytes !== undefined && isBlank(line.bytes)) continue;
        seq += 1;
        const parsed = parseLine(line, fields, maxLineBytes, options.keep);
        const place = {
          seq,
          key: parsed.key ?? `${prefix}${line.number}`,
          file,
          line: line.number,
          ...(parsed.kept === undefined ? {} : { kept: parsed.kept }),
        };
        rows.push(
          'content' in parsed
            ? { kind: 'item', ...place, content: parsed.content }
            : { kind: 'reject', ...place, reason: parsed.reason },
        );
        if (rows.length === CHUNK_ROWS) {
          yield rows;
          rows = [];
        }
      }
      if (rows.length > 0) yield rows;
    }
  }
}

function parseLine(
  line: Line,
  fields: FieldLookup,
  maxLineBytes: number,
  keep: readonly string[] | undefined,
): ParsedRow {
  if (line.bytes !== undefined) return parseRow(line.bytes, fields, keep);
  const reason = `The line is ${count(line.length)} bytes long, more than the limit of ${count(maxLineBytes)}.`;
  return { key: undefined, reason };
}

/** The lines of a source, those that end in one chunk at a time, with errors made into what to tell a person. */
async function* linesOf(
  source: string,
  maxLineBytes: number,
  options: OpenSourceOptions,
): AsyncGenerator<Iterable<Line>, void, undefined> {
  const splitter = new LineSplitter(maxLineBytes);
  try {
    for await (const chunk of openSource(source, options)) {
      options.signal?.throwIfAborted();
      yield splitter.push(chunk);
    }
    yield splitter.end();
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof DamagedGzip) throw damaged(source, error, splitter.lines);
    if (isUserError(error) || codeOf(error) === undefined) throw error;
    throw sourceError(source, error);
  }
}

function damaged(source: string, error: DamagedGzip, lines: number): UserError {
  const byte = `compressed byte ${count(error.byte)}`;
  const what = error.truncated ? `ends too early, at ${byte}` : `is damaged at or before ${byte}`;
  const where = `after line ${count(lines)}`;
  return new UserError(`The gzip data of ${sourceName(source)} ${what}, ${where}: ${error.message}.`, {
    hint: 'Fetch the file again; "gzip -t FILE" is silent when it is whole.',
    cause: error,
  });
}
