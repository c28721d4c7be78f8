import { SCORE_FORMATS, type ScoreFormat, UserError } from '@tocsin/core';

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
 * How to write to a path: the given format, else the one that its extension names (JSONL for `-`), compressed when it
 * ends in `.gz`. Throws a `UserError` that lists the possible ones.
 */
export function scoreFormat(path: string, given?: string): { format: ScoreFormat; gzip: boolean } {
  const [, stem = path, gz] = /^(.*?)(\.gz)?$/is.exec(path) ?? [];
  const gzip = gz !== undefined && path !== STDOUT;
  const format = given === undefined ? namedFormat(path, stem) : knownFormat(given);
  if (format === 'parquet' && gzip) {
    throw new UserError(`"${path}" would be a Parquet file in gzip, which no reader opens.`, {
      hint: 'Let it end in .parquet: Parquet compresses by itself.',
    });
  }
  if (format === 'openai-batch' && path === STDOUT) {
    throw new UserError('The format openai-batch writes two files, and standard output is one.', {
      hint: 'Name a file with --out.',
    });
  }
  return { format, gzip };
}

function knownFormat(given: string): ScoreFormat {
  const known = SCORE_FORMATS.find((one) => one === given);
  if (known !== undefined) return known;
  throw new UserError(`There is no format "${given}" for scores.`, {
    hint: `Possible are ${SCORE_FORMATS.join(', ')}.`,
  });
}

function namedFormat(path: string, stem: string): ScoreFormat {
  if (path === STDOUT) return 'jsonl';
  const extension = /\.[^./\\]*$/.exec(stem)?.[0].toLowerCase() ?? '';
  const named = FORMAT_OF.get(extension);
  if (named !== undefined) return named;
  const extensions = [...FORMAT_OF.keys()].join(', ');
  throw new UserError(`The name "${path}" does not say in which format to write the scores.`, {
    hint: `Let it end in ${extensions} (text also with .gz), or give the format: ${SCORE_FORMATS.join(', ')}.`,
  });
}
