import { createHash } from 'node:crypto';
import { UserError } from '@tocsin/core';
import { type OpenGuard, openGuard } from '@tocsin/engine';
import { type CalibrationRow, countText } from '@tocsin/evaluate';
import { judgedScores } from '@tocsin/store';
import { countsText } from '../eval/print-evaluation.js';
import { scoreLabelled } from '../eval/score-labelled.js';
import { withStackUntil } from '../options/store-options.js';
import { withModelProgress } from '../terminal/model-progress.js';
import type { CalibrateFlags } from './command.js';

/** Scores with labels, and how many were left out and why. */
export interface CalibrationLabels {
  rows: CalibrationRow[];
  /** For display: the files, or "reviews". */
  from: string;
  /** "986, of which 3 were left out (...)" */
  counted: string;
  leftOut: number;
  problems: string[];
  fingerprint: string;
  precision: string;
  /** The guard's own threshold. */
  threshold: number;
}

/** Scores labelled files, as `tocsin eval` does. Identical inputs are one content. */
export async function labelsOfFiles(
  files: string[],
  flags: CalibrateFlags & { labelField: string },
  interrupted: AbortSignal,
): Promise<CalibrationLabels> {
  const contents: string[] = [];
  const found = await scoreLabelled(files, flags, interrupted, (row) => {
    if (row.kind !== 'item') return;
    contents[row.seq] = createHash('sha256').update(JSON.stringify(row.content)).digest('hex');
  });
  const { counts, problems, source, threshold } = found;
  if (source.kind !== 'guard') throw new Error('the scores come from no guard');
  return {
    rows: found.rows.map(({ seq, ...row }) => ({ ...row, content: contents[seq] ?? row.key })),
    from: files.join(' '),
    counted: countsText(counts),
    leftOut: counts.rows - counts.evaluated,
    problems,
    fingerprint: source.fingerprint,
    precision: source.precision,
    threshold,
  };
}

/** The verdicts on all contents that this guard has scored in the database; the majority counts. */
export async function labelsOfReviews(
  flags: CalibrateFlags,
  interrupted: AbortSignal,
): Promise<CalibrationLabels> {
  const guard: OpenGuard = await withModelProgress((shown) =>
    openGuard(flags.guard, { ...flags, ...shown, signal: interrupted }),
  );
  const { rows, ties } = await withStackUntil(interrupted, flags, ({ pool }) =>
    judgedScores(pool, guard.fingerprint),
  );
  if (rows.length === 0) {
    throw new UserError(`the database has no verdicts on scores of ${flags.guard}`, {
      hint: 'Verdicts belong to a guard and its precision. Review rows on the dashboard, or give labelled files.',
    });
  }
  const all = countText(rows.length + ties);
  return {
    rows: rows.map((row) => ({ ...row, key: row.content })),
    from: 'reviews',
    counted: ties === 0 ? all : `${all}, of which ${countText(ties)} were left out (reviewers disagree)`,
    leftOut: ties,
    problems: [],
    fingerprint: guard.fingerprint,
    precision: guard.precision,
    threshold: guard.artifact.defaultThreshold,
  };
}
