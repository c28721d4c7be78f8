import type { CorpusRow } from '@tocsin/corpus';
import type { EvaluatedRow } from '@tocsin/evaluate';
import type { CorpusFlags } from '../options/corpus-options.js';
import type { GuardFlags } from '../options/guard-options.js';
import { CollectedScores, scoreCorpus } from '../score/score-corpus.js';
import { problemText, SHOWN_PROBLEMS } from '../terminal/problems.js';
import { type LabelFlags, Labels } from './labels.js';

/** A labelled row with its place in the corpus, from 1. */
interface PlacedRow extends EvaluatedRow {
  seq: number;
}

/**
 * Scores a labelled corpus as `tocsin score` does, with cached scores.
 * @param onRow called with each row before its label is read
 */
export async function scoreLabelled(
  files: string[],
  flags: GuardFlags & CorpusFlags & LabelFlags & { threshold?: number },
  interrupted: AbortSignal,
  onRow?: (row: CorpusRow) => void,
): Promise<Omit<LabelledScores, 'rows'> & { rows: PlacedRow[] }> {
  const labels = new Labels(flags, { needed: true });
  const scores = new CollectedScores();
  const read = (row: CorpusRow): CorpusRow => {
    onRow?.(row);
    return labels.onRow(row);
  };
  const openWriter = async (): Promise<CollectedScores> => scores;
  const job = { files, flags, openWriter, keep: labels.fields, onRow: read };
  const ran = await scoreCorpus(job, interrupted);
  const rows = scores.rows.flatMap(({ key, score }, i) => {
    const { label, group } = labels.rows[i] ?? {};
    if (score === undefined || label === undefined) return [];
    return [{ seq: i + 1, key, score, label, group }];
  });
  return {
    rows,
    counts: {
      rows: ran.rows,
      evaluated: rows.length,
      rejected: ran.rejected - labels.absent - labels.faulty,
      withoutLabel: labels.absent,
      faultyLabel: labels.faulty,
      withoutScore: ran.failed,
    },
    problems: scores.rows
      .flatMap(({ key, error }) => (error === undefined ? [] : [problemText(key, error)]))
      .slice(0, SHOWN_PROBLEMS),
    source: {
      kind: 'guard',
      guard: ran.guard,
      fingerprint: ran.fingerprint,
      precision: ran.precision,
    },
    threshold: ran.threshold,
  };
}

/** The options of `tocsin eval`. */
export interface EvalFlags extends Omit<GuardFlags, 'guard'>, CorpusFlags, LabelFlags {
  guard?: string;
  labelField: string;
  scores?: string;
  threshold?: number;
  bootstrap: number;
  seed: number;
  out?: string;
  json?: boolean;
}

/** Row counts of a labelled corpus. rows = evaluated + rejected + withoutLabel + faultyLabel + withoutScore. */
export interface LabelCounts {
  rows: number;
  evaluated: number;
  /** Unreadable. */
  rejected: number;
  withoutLabel: number;
  /** The label or group is invalid. */
  faultyLabel: number;
  /** Could not be scored, or missing from the given scores. */
  withoutScore: number;
}

/** A labelled corpus with its scores. */
export interface LabelledScores {
  rows: EvaluatedRow[];
  counts: LabelCounts;
  /** The first few reasons why rows were left out. */
  problems: string[];
  /** Source of the scores. */
  source: ScoreSource;
  threshold: number;
}

export type ScoreSource =
  | { kind: 'guard'; guard: string; fingerprint: string; precision: string }
  | { kind: 'file'; file: string; unmatched: number };
