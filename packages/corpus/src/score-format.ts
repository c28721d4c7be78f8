import { UserError } from '@tocsin/errors';

export const SCORE_FORMATS = ['jsonl', 'csv'] as const;
export type ScoreFormat = (typeof SCORE_FORMATS)[number];

/** The path that stands for standard output. */
export const STDOUT = '-';

const FORMAT_OF: ReadonlyMap<string, ScoreFormat> = new Map([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv'],
]);

/**
 * How to write to a path: the given format, else the one that its extension names (JSONL for `-`), compressed when it
 * ends in `.gz`. Throws a `UserError` that lists the possible ones.
 */
export function scoreFormat(path: string, format?: string): { format: ScoreFormat; gzip: boolean } {
  const [, stem = path, gz] = /^(.*?)(\.gz)?$/is.exec(path) ?? [];
  const gzip = gz !== undefined && path !== STDOUT;
  if (format !== undefined) {
    const known = SCORE_FORMATS.find((one) => one === format);
    if (known !== undefined) return { format: known, gzip };
    throw new UserError(`There is no format "${format}" for scores.`, {
      hint: `Possible are ${SCORE_FORMATS.join(' and ')}.`,
    });
  }
  if (path === STDOUT) return { format: 'jsonl', gzip };
  const extension = /\.[^./\\]*$/.exec(stem)?.[0].toLowerCase() ?? '';
  const named = FORMAT_OF.get(extension);
  if (named !== undefined) return { format: named, gzip };
  const extensions = [...FORMAT_OF.keys()].join(', ');
  throw new UserError(`The name "${path}" does not say in which format to write the scores.`, {
    hint: `Let it end in ${extensions} (each also with .gz), or give the format: ${SCORE_FORMATS.join(' or ')}.`,
  });
}
