import type { EvaluatedRow } from '@tocsin/evaluate';
import type { CorpusFlags } from '../options/corpus-options.js';
import type { GuardFlags } from '../options/guard-options.js';
import type { LabelFlags } from './labels.js';

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

/** What became of the rows of a labelled corpus. rows = evaluated + rejected + withoutLabel + faultyLabel + withoutScore. */
export interface LabelCounts {
  rows: number;
  evaluated: number;
  /** Could not be read. */
  rejected: number;
  withoutLabel: number;
  /** The label (or group) is none. */
  faultyLabel: number;
  /** Could not be scored, or the given scores lack it. */
  withoutScore: number;
}

/** A labelled corpus with its scores. */
export interface LabelledScores {
  rows: EvaluatedRow[];
  counts: LabelCounts;
  /** Why rows were left out, one sentence each, the first few. */
  problems: string[];
  /** Where the scores are from. */
  source: ScoreSource;
  threshold: number;
}

export type ScoreSource =
  | { kind: 'guard'; guard: string; fingerprint: string; precision: string }
  | { kind: 'file'; file: string; unmatched: number };
