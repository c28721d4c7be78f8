import { writeText } from '@tocsin/corpus';
import {
  confusionTable,
  countText,
  type Evaluation,
  groupTable,
  measureTable,
  notesOn,
  smallText,
  thresholdTable,
} from '@tocsin/evaluate';
import { printProblems } from '../terminal/problems.js';
import { jsonText, tableText } from '../terminal/table.js';
import { madeText } from '../version.js';
import type { EvalFlags, LabelCounts, LabelledScores, ScoreSource } from './score-labelled.js';

/** Groups printed; JSON and the report have all of them. */
const SHOWN_GROUPS = 30;

/** What to print. */
export interface Asked {
  files: string[];
  flags: EvalFlags;
}

/** Prints an evaluation to standard output, as tables or JSON; left-out rows with their reasons to standard error. */
export function printEvaluation(evaluation: Evaluation, found: LabelledScores, asked: Asked): void {
  printProblems(found.counts.rows - found.counts.evaluated, found.problems);
  const { source } = found;
  if (source.kind === 'file' && source.unmatched > 0) {
    const belong = source.unmatched === 1 ? 'belongs' : 'belong';
    console.error(`${countText(source.unmatched)} of the scores ${belong} to no labelled row.`);
  }
  console.log(
    asked.flags.json === true
      ? jsonText(evaluationJson(evaluation, found, asked))
      : text(evaluation, found, asked),
  );
}

function evaluationJson(evaluation: Evaluation, found: LabelledScores, { files, flags }: Asked): object {
  const { tally: _, rows: __, ...measured } = evaluation;
  const { labelField, groupField, positive } = flags;
  return {
    corpus: files,
    labelField,
    groupField,
    positive,
    source: found.source,
    counts: found.counts,
    ...measured,
  };
}

function text(evaluation: Evaluation, { counts, source }: LabelledScores, { files }: Asked): string {
  const lines: [string, string][] = [
    ...sourceLines(source),
    ['corpus', files.join(' ')],
    ['rows', countsText(counts)],
    ['evaluated', `${countText(evaluation.harmful)} harmful, ${countText(evaluation.safe)} safe`],
    ['threshold', smallText(evaluation.threshold)],
  ];
  const { groups } = evaluation;
  const parts = [
    lines.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}`).join('\n'),
    tableText(measureTable(evaluation)),
    tableText(confusionTable(evaluation)),
    tableText(thresholdTable(evaluation)),
  ];
  if (groups !== undefined) {
    parts.push(tableText(groupTable(groups.slice(0, SHOWN_GROUPS))));
    if (groups.length > SHOWN_GROUPS)
      parts.push(`and ${countText(groups.length - SHOWN_GROUPS)} more groups`);
  }
  return [...parts, notesOn(evaluation).join('\n')].join('\n\n');
}

function sourceLines(source: ScoreSource): [string, string][] {
  if (source.kind === 'file') return [['scores', source.file]];
  return [
    ['guard', `${source.guard} (${source.precision})`],
    ['fingerprint', source.fingerprint],
  ];
}

/** "986, of which 3 were left out (2 rejected, 1 without label)" */
export function countsText(counts: LabelCounts): string {
  const { rows, evaluated, rejected, withoutLabel, faultyLabel, withoutScore } = counts;
  if (rows === evaluated) return countText(rows);
  const reasons = [
    [rejected, 'rejected'],
    [withoutLabel, 'without a label'],
    [faultyLabel, 'with an invalid label'],
    [withoutScore, 'without a score'],
  ] as const;
  const said = reasons.filter(([count]) => count > 0).map(([count, why]) => `${countText(count)} ${why}`);
  return `${countText(rows)}, of which ${countText(rows - evaluated)} were left out (${said.join(', ')})`;
}

/** Writes an evaluation as one HTML file. */
export async function writeEvaluationReport(
  path: string,
  evaluation: Evaluation,
  { counts, source }: LabelledScores,
  { files, flags }: Asked,
): Promise<void> {
  // Charts load slowly, and only reports need them.
  const { evaluationReport } = await import('@tocsin/evaluate/report');
  const facts: [string, string][] = [
    ...(source.kind === 'guard'
      ? ([
          ['Guard', source.guard],
          ['Fingerprint', source.fingerprint],
          ['Precision', source.precision],
        ] as [string, string][])
      : ([['Scores', source.file]] as [string, string][])),
    ['Threshold', smallText(evaluation.threshold)],
    ['Corpus', files.join(', ')],
    ['Rows', countsText(counts)],
    [
      'Label field',
      flags.positive === undefined ? flags.labelField : `${flags.labelField} (${flags.positive} is harmful)`,
    ],
    ...(flags.groupField === undefined ? [] : ([['Group field', flags.groupField]] as [string, string][])),
    ...(evaluation.bootstrap === undefined
      ? []
      : ([['Intervals', intervalFact(evaluation.bootstrap)]] as [string, string][])),
    ['Made', madeText()],
  ];
  await writeText(path, evaluationReport(evaluation, facts));
  console.error(`Report: ${path}`);
}

function intervalFact({ resamples, seed }: { resamples: number; seed: number }): string {
  return `percentile bootstrap, ${countText(resamples)} resamples of the rows, seed ${seed}`;
}
