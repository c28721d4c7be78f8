import { readJsonl } from '@tocsin/corpus';
import { UserError } from '@tocsin/errors';

/** Scores from a file, by key. */
export interface GivenScores {
  /** A score, or the error that stands in its place. */
  scores: ReadonlyMap<string, number | string>;
  /** The threshold that every line names. Throws a `UserError` when they name none, or several. */
  threshold(): number;
}

/**
 * Reads scores as `tocsin score` writes them in JSONL (`key`, and `score` or `error`; `threshold` is optional).
 * @throws UserError for a line that is none, and for a key that stands there twice
 */
export async function readGivenScores(file: string, signal?: AbortSignal): Promise<GivenScores> {
  const scores = new Map<string, number | string>();
  const thresholds = new Set<unknown>();
  const keep = ['key', 'score', 'threshold', 'error'];
  for await (const chunk of readJsonl([file], { fields: { id: 'key' }, keep, ...(signal && { signal }) })) {
    // Lines of scores hold no text: as corpus rows they are rejects, and only what was kept of them counts.
    for (const { key, line, kept } of chunk) {
      const place = `${file}, line ${line}`;
      if (kept?.key === undefined) throw noScore(place, 'it is no JSON object with a key');
      if (scores.has(key)) throw twice('The file of scores', key, place);
      scores.set(key, scoreOf(kept.score, kept.error, place));
      if (typeof kept.score === 'number') thresholds.add(kept.threshold);
    }
  }
  return { scores, threshold: () => commonThreshold(thresholds, file) };
}

function scoreOf(score: unknown, error: unknown, place: string): number | string {
  if (typeof score === 'number' && score >= 0 && score <= 1) return score;
  if (score === undefined && typeof error === 'string') return error;
  throw noScore(place, 'its "score" is no number from 0 to 1, and it has no "error"');
}

function noScore(place: string, why: string): UserError {
  return new UserError(`${place} is no score: ${why}.`, {
    hint: 'Name a file that `tocsin score --out FILE.jsonl` wrote.',
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
