import { UserError } from '@tocsin/core';
import { checkSources, csvText, inputFormat, type KeptFields, placeOf, readCorpus } from '@tocsin/corpus';
import type { EvaluatedRow } from '@tocsin/evaluate';
import { type CorpusFlags, openCorpus } from '../options/corpus-options.js';
import { SHOWN_PROBLEMS } from '../terminal/problems.js';
import { type LabelFlags, Labels } from './labels.js';
import type { LabelledScores } from './score-labelled.js';

/**
 * Joins a labelled corpus with existing scores (from `tocsin score` or `tocsin runs export`) by key. The corpus needs only
 * keys and labels, no texts.
 * @throws UserError for a duplicate key in either file: the rows could not be matched
 */
export async function joinScores(
  files: string[],
  flags: CorpusFlags & LabelFlags & { scores: string; threshold?: number },
  signal: AbortSignal,
): Promise<LabelledScores> {
  const { sources, reading } = await openCorpus(files, flags);
  await checkSources(sources.includes('-') ? ['-', flags.scores] : [flags.scores]);
  const given = await readGivenScores(flags.scores, signal);
  const labels = new Labels(flags, { needed: true });
  const seen = new Set<string>();
  const rows: EvaluatedRow[] = [];
  const counts = { rows: 0, rejected: 0, withoutScore: 0 };
  let matched = 0;
  const problems: string[] = [];
  for await (const chunk of readCorpus(sources, { ...reading, keep: labels.fields, signal })) {
    for (const row of chunk) {
      counts.rows += 1;
      const place = placeOf(row);
      if (row.kept === undefined) {
        counts.rejected += 1;
        problems.push(`${place}: ${row.kind === 'reject' ? row.reason : 'no fields'}`);
        continue;
      }
      // The row may lack a text.
      const judged = labels.onRow({ ...row, kind: 'item', content: {} });
      if (judged.kind === 'reject') {
        problems.push(`${place}: ${judged.reason}`);
        continue;
      }
      if (seen.has(row.key)) throw twice('the corpus', row.key, place);
      seen.add(row.key);
      if (given.of(row.key) !== undefined) matched += 1;
      const joined = joinRow(row.key, labels, row.seq, given);
      if (typeof joined !== 'string') {
        rows.push(joined);
        continue;
      }
      counts.withoutScore += 1;
      problems.push(`${place}: ${joined}`);
    }
    problems.length = Math.min(problems.length, SHOWN_PROBLEMS);
  }
  return {
    rows,
    counts: {
      ...counts,
      evaluated: rows.length,
      withoutLabel: labels.absent,
      faultyLabel: labels.faulty,
    },
    problems,
    source: {
      kind: 'file',
      file: flags.scores,
      unmatched: given.size - matched,
    },
    threshold: flags.threshold ?? given.threshold(),
  };
}

/** The row with its score, or the reason for having none. */
function joinRow(key: string, labels: Labels, seq: number, given: GivenScores): EvaluatedRow | string {
  const score = given.of(key);
  const { label, group } = labels.rows[seq - 1] ?? {};
  if (score === undefined) return `The scores have no row with the key ${JSON.stringify(key)}.`;
  if (typeof score === 'string') return `It has no score: ${score}`;
  if (label === undefined) throw new Error(`row ${seq} has no label`);
  return { key, score, label, group };
}

/** Scores from a file, by key. */
interface GivenScores {
  size: number;
  /** The score of a row's key, its error, or undefined. */
  of(key: string): number | string | undefined;
  /** The threshold of all rows. Throws a `UserError` when they have none, or different ones. */
  threshold(): number;
}

/**
 * Reads scores written by `tocsin score` or `tocsin runs export` (`key`, and `score` or `error`; `threshold` is optional),
 * in the format of the file's extension.
 * @throws UserError for an invalid row or a duplicate key
 */
async function readGivenScores(file: string, signal?: AbortSignal): Promise<GivenScores> {
  const format = inputFormat(file);
  const isCsv = format === 'csv' || format === 'tsv';
  const scores = new Map<string, number | string>();
  const thresholds = new Set<unknown>();
  const keep = ['key', 'score', 'threshold', 'error'];
  for await (const chunk of readCorpus([file], { fields: { id: 'key' }, keep, signal })) {
    // Rows of scores have no text: as corpus rows they are rejects, and only their kept fields are used.
    for (const row of chunk) {
      const place = placeOf(row);
      if (row.kept === undefined)
        throw noScore(place, row.kind === 'reject' ? row.reason : 'it has no fields');
      const given = isCsv ? fromCells(row.kept) : row.kept;
      if (given.key === undefined || given.key === null) throw noScore(place, 'it has no "key"');
      const key = given.key === '' ? '' : row.key;
      if (scores.has(key)) throw twice('the file of scores', key, place);
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

/** CSV cells are strings: parse the numbers; among the empty cells only the key is an empty string. */
function fromCells({ key, score, threshold, error }: KeptFields): KeptFields {
  return { key: key === null ? '' : key, score: numberOf(score), threshold: numberOf(threshold), error };
}

function numberOf(cell: unknown): unknown {
  return typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell;
}

function scoreOf(score: unknown, error: unknown, place: string): number | string {
  if (typeof score === 'number' && score >= 0 && score <= 1) return score;
  // Columnar formats have null where JSON lacks the field.
  if ((score === undefined || score === null) && typeof error === 'string') return error;
  throw noScore(place, 'its "score" is not a number from 0 to 1, and it has no "error"');
}

function noScore(place: string, why: string): UserError {
  return new UserError(`${place} is not a score: ${why.replace(/\.$/, '')}`, {
    hint: 'Name a file that `tocsin score --out` or `tocsin runs export` wrote: JSONL, CSV, TSV or Parquet.',
  });
}

function commonThreshold(thresholds: ReadonlySet<unknown>, file: string): number {
  const [threshold] = thresholds;
  if (thresholds.size === 1 && typeof threshold === 'number') return threshold;
  const what = thresholds.size > 1 ? 'have different thresholds' : 'have no threshold';
  throw new UserError(`the scores of ${file} ${what}`, { hint: 'Set it with --threshold.' });
}

/** A duplicate key in `what`. */
function twice(what: string, key: string, place: string): UserError {
  return new UserError(`${what} has the key ${JSON.stringify(key)} twice (again in ${place})`, {
    hint: 'Rows and scores are joined by key: give each row a unique id, or omit --scores.',
  });
}
