import { UserError } from '@tocsin/core';
import { csvText, inputFormat, type KeptFields, placeOf, readCorpus } from '@tocsin/corpus';

/** Scores from a file, by key. */
export interface GivenScores {
  size: number;
  /** The score of a row's key, the error that stands in its place, or undefined. */
  of(key: string): number | string | undefined;
  /** The threshold that every row names. Throws a `UserError` when they name none, or several. */
  threshold(): number;
}

/**
 * Reads scores as `tocsin score` and `tocsin runs export` write them (`key`, and `score` or `error`; `threshold` is optional),
 * in the format that the file's name says.
 * @throws UserError for a row that is none, and for a key that stands there twice
 */
export async function readGivenScores(file: string, signal?: AbortSignal): Promise<GivenScores> {
  const format = inputFormat(file);
  const isCsv = format === 'csv' || format === 'tsv';
  const scores = new Map<string, number | string>();
  const thresholds = new Set<unknown>();
  const keep = ['key', 'score', 'threshold', 'error'];
  for await (const chunk of readCorpus([file], { fields: { id: 'key' }, keep, signal })) {
    // Rows of scores hold no text: as rows of a corpus they are rejects, and only what was kept of them counts.
    for (const row of chunk) {
      const place = placeOf(row);
      if (row.kept === undefined)
        throw noScore(place, row.kind === 'reject' ? row.reason : 'it has no fields');
      const given = isCsv ? fromCells(row.kept) : row.kept;
      if (given.key === undefined || given.key === null) throw noScore(place, 'it has no "key"');
      const key = given.key === '' ? '' : row.key;
      if (scores.has(key)) throw twice('The file of scores', key, place);
      scores.set(key, scoreOf(given.score, given.error, place));
      if (typeof given.score === 'number') thresholds.add(given.threshold);
    }
  }
  return {
    size: scores.size,
    of: (key) => scores.get(isCsv ? csvText(key) : key),
    threshold: () => commonThreshold(thresholds, file),
  };
}

/** Cells of CSV are text: numbers are to be read, and of the empty ones the key is an empty text. */
function fromCells({ key, score, threshold, error }: KeptFields): KeptFields {
  return { key: key === null ? '' : key, score: numberOf(score), threshold: numberOf(threshold), error };
}

function numberOf(cell: unknown): unknown {
  return typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell;
}

function scoreOf(score: unknown, error: unknown, place: string): number | string {
  if (typeof score === 'number' && score >= 0 && score <= 1) return score;
  // Formats of columns have null where JSON has nothing.
  if ((score === undefined || score === null) && typeof error === 'string') return error;
  throw noScore(place, 'its "score" is no number from 0 to 1, and it has no "error"');
}

function noScore(place: string, why: string): UserError {
  return new UserError(`${place} is no score: ${why.replace(/\.$/, '')}.`, {
    hint: 'Name a file that `tocsin score --out` or `tocsin runs export` wrote: JSONL, CSV, TSV or Parquet.',
  });
}

function commonThreshold(thresholds: ReadonlySet<unknown>, file: string): number {
  const [threshold] = thresholds;
  if (thresholds.size === 1 && typeof threshold === 'number') return threshold;
  const what = thresholds.size > 1 ? 'do not name one threshold for all' : 'name no threshold';
  throw new UserError(`The scores of ${file} ${what}.`, { hint: 'Give it with --threshold.' });
}

/** A key that stands twice in `what`. */
export function twice(what: string, key: string, place: string): UserError {
  return new UserError(`${what} has the key ${JSON.stringify(key)} twice (again in ${place}).`, {
    hint: 'Rows and scores are joined by key: give each row an id of its own, or leave out --scores.',
  });
}
