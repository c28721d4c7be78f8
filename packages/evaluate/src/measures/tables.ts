import { type Drift, filledBins } from '../drift/drift.js';
import { CONFIDENCE, type IntervalMeasure } from '../intervals/bootstrap.js';
import type { ThresholdPoint } from './confusion.js';
import { type Evaluation, FEW_ROWS, type GroupMeasures, type Measures } from './evaluate.js';
import { countText, intervalText, measureText, percentText, smallText, thresholdText } from './format.js';

/** A table as text, for a terminal or a page. The first column is the row's heading. */
export interface TextTable {
  head: string[];
  rows: string[][];
}

const MEASURES: readonly [keyof Measures & string, string][] = [
  ['macroF1', 'Macro F1'],
  ['precision', 'precision'],
  ['recall', 'recall'],
  ['f1Harmful', 'F1, harmful'],
  ['f1Safe', 'F1, safe'],
  ['falsePositiveRate', 'false-positive rate'],
  ['accuracy', 'accuracy'],
  ['auc', 'AUC'],
  ['averagePrecision', 'average precision'],
  ['brier', 'Brier score'],
  ['expectedCalibrationError', 'expected calibration error'],
];

/** Every measure, with its interval if any. */
export function measureTable({ measures, bootstrap }: Evaluation): TextTable {
  const rows = MEASURES.map(([name, words]) => {
    const value = [words, measureText(measures[name])];
    if (bootstrap === undefined) return value;
    const has = name in bootstrap.intervals;
    return [...value, has ? intervalText(bootstrap.intervals[name as IntervalMeasure]) : ''];
  });
  const head = ['measure', 'value'];
  return { head: bootstrap === undefined ? head : [...head, `${CONFIDENCE * 100} % interval`], rows };
}

/** The threshold in use, and alternatives. */
export function thresholdTable(evaluation: Evaluation): TextTable {
  const { threshold, confusion, measures, best, atFalsePositiveRates, tally } = evaluation;
  const row = (choice: string, point: ThresholdPoint | undefined): string[] => [
    choice,
    thresholdText(tally, point?.threshold),
    measureText(point?.macroF1),
    measureText(point?.precision),
    measureText(point?.recall),
    measureText(point?.falsePositiveRate),
  ];
  return {
    head: ['choice', 'threshold', 'Macro F1', 'precision', 'recall', 'FPR'],
    rows: [
      // As given, not shortened.
      row('in use', { threshold, confusion, ...measures }).with(1, smallText(threshold)),
      row('best Macro F1', best.macroF1),
      row('best F1 of harmful', best.f1Harmful),
      ...atFalsePositiveRates.map(({ limit, at }) => row(`FPR at most ${percentText(limit)}`, at)),
    ],
  };
}

/** The confusion matrix at the threshold in use. */
export function confusionTable({ confusion, harmful, safe, rows }: Evaluation): TextTable {
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = confusion;
  const row = (name: string, ...counts: number[]): string[] => [name, ...counts.map(countText)];
  return {
    head: ['', 'flagged', 'not flagged', 'all'],
    rows: [row('harmful', tp, fn, harmful), row('safe', fp, tn, safe), row('all', tp + fp, fn + tn, rows)],
  };
}

/** One row per group; small groups are marked with *. */
export function groupTable(groups: readonly GroupMeasures[]): TextTable {
  return {
    head: ['group', 'rows', 'harmful', 'flagged', 'Macro F1', 'AUC', 'precision', 'recall', 'FPR'],
    rows: groups.map((group) => [
      `${printable(group.group)}${group.few ? ' *' : ''}`,
      countText(group.rows),
      countText(group.harmful),
      countText(group.flagged),
      measureText(group.macroF1),
      measureText(group.auc),
      measureText(group.precision),
      measureText(group.recall),
      measureText(group.falsePositiveRate),
    ]),
  };
}

/** The differences between two lists of scores. */
export function driftTable(drift: Drift): TextTable {
  const { rows, flips, flagged } = drift;
  const ofAll = (count: number): string => `${countText(count)} (${percentText(count / rows)})`;
  return {
    head: ['drift', 'value'],
    rows: [
      ['rows compared', countText(rows)],
      ['equal scores', ofAll(drift.equal)],
      ['max |difference|', smallText(drift.maxDifference)],
      ['mean |difference|', smallText(drift.meanDifference)],
      ...drift.percentiles.map(({ share, difference }) => [
        `${Number((share * 100).toPrecision(4))} % are within`,
        smallText(difference),
      ]),
      ['mean of B - A', smallText(drift.meanShift)],
      ['flagged by A', ofAll(flagged.a)],
      ['flagged by B', ofAll(flagged.b)],
      ['flips, safe to harmful', ofAll(flips.toHarmful)],
      ['flips, harmful to safe', ofAll(flips.toSafe)],
      ['correlation (Pearson)', measureText(drift.pearson)],
      ['of ranks (Spearman)', measureText(drift.spearman)],
    ],
  };
}

/** Both guards against the labels. */
export function judgementTable({ labelled }: Drift): TextTable | undefined {
  if (labelled === undefined) return undefined;
  const { a, b } = labelled;
  const names = [
    ['macroF1', 'Macro F1'],
    ['auc', 'AUC'],
    ['precision', 'precision'],
    ['recall', 'recall'],
    ['falsePositiveRate', 'false-positive rate'],
  ] as const;
  return {
    head: ['measure', 'A', 'B', 'B - A'],
    rows: names.map(([name, words]) => {
      const [of, to] = [a[name], b[name]];
      const change = of === undefined || to === undefined ? undefined : to - of;
      return [words, measureText(of), measureText(to), measureText(change)];
    }),
  };
}

/** How many rows only one of the two classifies correctly. */
export function pairedTable({ labelled }: Drift): TextTable | undefined {
  if (labelled === undefined) return undefined;
  const { bothRight, onlyARight, onlyBRight, bothWrong } = labelled.paired;
  return {
    head: ['', 'B right', 'B wrong'],
    rows: [
      ['A right', countText(bothRight), countText(onlyARight)],
      ['A wrong', countText(onlyBRight), countText(bothWrong)],
    ],
  };
}

/** The histogram of differences, without the empty ends. */
export function histogramTable({ histogram, rows }: Drift): TextTable {
  return {
    head: ['|difference|', 'rows', 'share'],
    rows: filledBins(histogram).map((bin) => [
      bin.from === 0 ? `below ${smallText(bin.to)}` : `${smallText(bin.from)} to ${smallText(bin.to)}`,
      countText(bin.rows),
      percentText(bin.rows / rows),
    ]),
  };
}

const LONGEST_NAME = 40;

/** A name from a corpus, made safe for a terminal. */
export function printable(name: string): string {
  const safe = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return safe.length > LONGEST_NAME ? `${safe.slice(0, LONGEST_NAME - 1)}…` : safe;
}

/** Notes on the numbers: what could not be computed and why, and what to be careful with. */
export function notesOn(evaluation: Evaluation): string[] {
  const { harmful, safe, confusion, atFalsePositiveRates, groups, bootstrap } = evaluation;
  const notes: string[] = [];
  if (harmful === 0)
    notes.push('No row is harmful: recall, Macro F1, AUC and average precision are undefined.');
  if (safe === 0) notes.push('No row is safe: false-positive rate, Macro F1 and AUC are undefined.');
  if (confusion.truePositives + confusion.falsePositives === 0) {
    notes.push('No row is flagged at this threshold: precision is undefined.');
  }
  const tooFine = atFalsePositiveRates.filter(({ limit }) => safe > 0 && safe * limit < 1);
  const finest = tooFine.at(-1);
  if (finest !== undefined) {
    const percent = Number((finest.limit * 100).toPrecision(3));
    notes.push(
      `With ${countText(safe)} safe rows, a false-positive rate of at most ${percent} % means no false positive at all.`,
    );
  }
  if (atFalsePositiveRates.some(({ limit, at }) => at === undefined && safe > 0 && limit > 0)) {
    notes.push('Where no threshold is given for a false-positive rate, even the highest score exceeds it.');
  }
  notes.push('Best thresholds were chosen on these rows: expect slightly worse results on others.');
  if (groups?.some(({ harmful: some, rows }) => some === 0 || some === rows)) {
    notes.push('A group of one class has no Macro F1 and no AUC (–).');
  }
  if (groups?.some(({ few }) => few)) notes.push(`* fewer than ${FEW_ROWS} rows: such measures say little.`);
  if (bootstrap !== undefined) {
    const left = Math.max(...Object.values(bootstrap.intervals).map((one) => one?.undefinedIn ?? 0));
    if (left > 0) {
      notes.push(
        `Some measure was undefined in ${countText(left)} resamples: its interval is of the others.`,
      );
    }
  }
  return notes;
}
