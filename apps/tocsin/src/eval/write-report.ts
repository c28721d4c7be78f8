import { writeText } from '@tocsin/corpus';
import { countText, type Evaluation, smallText } from '@tocsin/evaluate';
import { madeText } from '../version.js';
import type { LabelledScores } from './labelled-scores.js';
import { type Asked, countsText } from './print-evaluation.js';

/** Writes an evaluation as one HTML file. */
export async function writeEvaluationReport(
  path: string,
  evaluation: Evaluation,
  { counts, source }: LabelledScores,
  { files, flags }: Asked,
): Promise<void> {
  // Charts take a while to load, and only reports draw them.
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
