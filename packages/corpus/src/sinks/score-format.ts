import { SCORE_FORMATS, type ScoreFormat, UserError } from '@tocsin/core';
import type { RequestFault } from '../shapes/request.js';

/** What a response says besides the score. */
export interface RequestAnswer {
  /** The guard or policy; default: the writer's model. */
  model?: string;
  /** Why there is no score; replaces the error. */
  fault?: RequestFault;
  /** The line of a request without a `custom_id`. */
  line?: number;
}

/** One line of the result: a score with its details, or an error. */
export interface ScoreRow {
  key: string;
  score?: number;
  harmful?: boolean;
  threshold?: number;
  tokens?: number;
  truncated?: boolean;
  error?: string;
  /** With an error: whether the row was unreadable rather than not scored. Only some formats tell them apart. */
  unreadable?: boolean;
  /** For a request of an OpenAI Batch file: details of its response. Ignored by other formats. */
  answer?: RequestAnswer;
  /** The scored item as submitted. Only written to JSON Lines. */
  item?: unknown;
}

/** The fields in output order. */
export const SCORE_COLUMNS = [
  'key',
  'score',
  'harmful',
  'threshold',
  'tokens',
  'truncated',
  'error',
] as const;

/** The path that stands for standard output. */
export const STDOUT = '-';

const FORMAT_OF: ReadonlyMap<string, ScoreFormat> = new Map([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
  ['.parquet', 'parquet'],
]);

/**
 * The format of an output path: the given one, else by extension (JSONL for `-`); compressed if it ends in `.gz`.
 * @throws UserError that lists the known formats
 */
export function scoreFormat(path: string, given?: string): { format: ScoreFormat; gzip: boolean } {
  const [, stem = path, gz] = /^(.*?)(\.gz)?$/is.exec(path) ?? [];
  const gzip = gz !== undefined && path !== STDOUT;
  const format = given === undefined ? namedFormat(path, stem) : knownFormat(given);
  if (format === 'parquet' && gzip) {
    throw new UserError(`"${path}" cannot be written: no reader opens a gzipped Parquet file`, {
      hint: 'Use the extension .parquet: Parquet files are already compressed.',
    });
  }
  if (format === 'openai-batch' && path === STDOUT) {
    throw new UserError('the format openai-batch cannot be written to stdout: it has two files', {
      hint: 'Name a file with --out.',
    });
  }
  return { format, gzip };
}

function knownFormat(given: string): ScoreFormat {
  const known = SCORE_FORMATS.find((one) => one === given);
  if (known !== undefined) return known;
  throw new UserError(`unknown output format "${given}"`, {
    hint: `Known formats: ${SCORE_FORMATS.join(', ')}.`,
  });
}

function namedFormat(path: string, stem: string): ScoreFormat {
  if (path === STDOUT) return 'jsonl';
  const extension = /\.[^./\\]*$/.exec(stem)?.[0].toLowerCase() ?? '';
  const named = FORMAT_OF.get(extension);
  if (named !== undefined) return named;
  const extensions = [...FORMAT_OF.keys()].join(', ');
  throw new UserError(`the output format of "${path}" is unknown: its name has no known extension`, {
    hint: `Use one of the extensions ${extensions} (text formats also with .gz), or set the format: ${SCORE_FORMATS.join(', ')}.`,
  });
}
