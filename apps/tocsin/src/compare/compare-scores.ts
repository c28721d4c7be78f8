import type { ComparedRow } from '@tocsin/evaluate';
import { type LabelFlags, Labels } from '../eval/labels.js';
import type { CorpusFlags } from '../options/corpus-options.js';
import type { GuardFlags } from '../options/guard-options.js';
import { CollectedScores, scoreCorpus } from '../score/score-corpus.js';
import type { ScoreSummary } from '../score/summary.js';
import { problemText, SHOWN_PROBLEMS } from '../terminal/problems.js';

/** The options of `tocsin compare`. */
export interface CompareFlags
  extends Pick<GuardFlags, 'device' | 'threads' | 'cacheDir'>,
    CorpusFlags,
    Omit<LabelFlags, 'groupField'> {
  backboneA?: string;
  backboneB?: string;
  threshold?: number;
  out?: string;
  json?: boolean;
}

/** One of the two guards and its scores. */
export interface Side {
  guard: string;
  precision: string;
  fingerprint: string;
  threshold: number;
}

/** The rows that both guards have scored. */
export interface ComparedScores {
  rows: ComparedRow[];
  sides: { a: Side; b: Side };
  counts: CompareCounts;
  /** The first few reasons why rows were left out. */
  problems: string[];
}

/** rows = compared + rejected + faultyLabel + withoutScore */
export interface CompareCounts {
  rows: number;
  compared: number;
  /** Compared rows with a label. */
  labelled: number;
  rejected: number;
  /** The label is invalid. */
  faultyLabel: number;
  /** At least one guard could not score them. */
  withoutScore: number;
}

export type SideFlags = GuardFlags & { threshold?: number };

/** Scores a corpus with both guards, one after the other, so that only one model is in memory. */
export async function compareScores(
  files: string[],
  sides: { a: SideFlags; b: SideFlags },
  flags: CorpusFlags & LabelFlags,
  interrupted: AbortSignal,
): Promise<ComparedScores> {
  const a = await runSide(files, sides.a, flags, interrupted);
  const b = await runSide(files, sides.b, flags, interrupted);
  if (a.scores.rows.length !== b.scores.rows.length) {
    throw new Error(`the corpus had ${a.scores.rows.length} rows and then ${b.scores.rows.length}`);
  }
  const rows = a.scores.rows.flatMap(({ key, score }, i): ComparedRow[] => {
    const other = b.scores.rows[i];
    if (score === undefined || other?.score === undefined) return [];
    const label = a.labels.rows[i]?.label;
    return [{ key, a: score, b: other.score, label }];
  });
  const faultyLabel = a.labels.faulty;
  const rejected = a.summary.rejected - faultyLabel;
  return {
    rows,
    sides: { a: sideOf(a.summary), b: sideOf(b.summary) },
    counts: {
      rows: a.summary.rows,
      compared: rows.length,
      labelled: rows.filter(({ label }) => label !== undefined).length,
      rejected,
      faultyLabel,
      withoutScore: a.summary.rows - rows.length - rejected - faultyLabel,
    },
    problems: a.scores.rows
      .flatMap(({ key, error }, i) => {
        const why = error ?? b.scores.rows[i]?.error;
        return why === undefined ? [] : [problemText(key, why)];
      })
      .slice(0, SHOWN_PROBLEMS),
  };
}

interface SideRun {
  summary: ScoreSummary;
  scores: CollectedScores;
  labels: Labels;
}

async function runSide(
  files: string[],
  side: SideFlags,
  flags: CorpusFlags & LabelFlags,
  interrupted: AbortSignal,
): Promise<SideRun> {
  const labels = new Labels(flags, { needed: false });
  const scores = new CollectedScores();
  const summary = await scoreCorpus(
    {
      files,
      flags: { ...flags, ...side },
      openWriter: async () => scores,
      keep: labels.fields,
      onRow: labels.onRow,
    },
    interrupted,
  );
  return { summary, scores, labels };
}

function sideOf({ guard, precision, fingerprint, threshold }: ScoreSummary): Side {
  return { guard, precision, fingerprint, threshold };
}
