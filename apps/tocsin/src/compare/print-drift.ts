import { writeText } from '@tocsin/corpus';
import {
  countText,
  type Drift,
  driftTable,
  histogramTable,
  judgementTable,
  pairedTable,
  smallText,
} from '@tocsin/evaluate';
import { printProblems } from '../terminal/problems.js';
import { jsonText, tableText } from '../terminal/table.js';
import { madeText } from '../version.js';
import type { CompareCounts, ComparedScores, CompareFlags, Side } from './compare-scores.js';

/** Prints a drift to standard output, as tables or JSON; left-out rows with their reasons to standard error. */
export function printDrift(
  drift: Drift,
  compared: ComparedScores,
  files: string[],
  flags: CompareFlags,
): void {
  const { counts, sides, problems } = compared;
  printProblems(counts.rows - counts.compared, problems);
  if (flags.json === true) {
    const { rows: _, ...measured } = drift;
    console.log(jsonText({ corpus: files, ...sides, counts, ...measured }));
  } else {
    console.log(text(drift, compared, files));
  }
}

function text(drift: Drift, { counts, sides }: ComparedScores, files: string[]): string {
  const lines: [string, string][] = [
    ['A', sideText(sides.a)],
    ['B', sideText(sides.b)],
    ['corpus', files.join(' ')],
    ['rows', countsText(counts)],
  ];
  const tables = [driftTable(drift), histogramTable(drift), judgementTable(drift), pairedTable(drift)];
  return [
    lines.map(([name, value]) => `${`${name}:`.padEnd(9)}${value}`).join('\n'),
    ...tables.flatMap((table) => (table === undefined ? [] : [tableText(table)])),
    ...(drift.labelled === undefined
      ? []
      : [
          `McNemar's exact test of the rows where only one is right: p = ${smallText(drift.labelled.paired.pValue)}`,
        ]),
  ].join('\n\n');
}

function sideText({ guard, precision, fingerprint, threshold }: Side): string {
  return `${guard} (${precision}, threshold ${smallText(threshold)}, fingerprint ${fingerprint.slice(0, 12)})`;
}

/** "986, of which 3 were left out (2 rejected, 1 without a score); 980 with a label" */
function countsText({
  rows,
  compared,
  labelled,
  rejected,
  faultyLabel,
  withoutScore,
}: CompareCounts): string {
  const reasons = [
    [rejected, 'rejected'],
    [faultyLabel, 'with an invalid label'],
    [withoutScore, 'without a score'],
  ] as const;
  const said = reasons.filter(([count]) => count > 0).map(([count, why]) => `${countText(count)} ${why}`);
  const left =
    said.length > 0 ? `, of which ${countText(rows - compared)} were left out (${said.join(', ')})` : '';
  return `${countText(rows)}${left}${labelled > 0 ? `; ${countText(labelled)} with a label` : ''}`;
}

/** Writes a drift as one HTML file. */
export async function writeDriftReport(
  path: string,
  drift: Drift,
  { rows, sides, counts }: ComparedScores,
  files: string[],
  flags: CompareFlags,
): Promise<void> {
  // Charts load slowly, and only reports need them.
  const { driftReport } = await import('@tocsin/evaluate/report');
  const about: [string, string][] = [
    ['A', sideText(sides.a)],
    ['B', sideText(sides.b)],
    ['Corpus', files.join(', ')],
    ['Rows', countsText(counts)],
    ...(flags.labelField === undefined ? [] : ([['Label field', flags.labelField]] as [string, string][])),
    ['Made', madeText()],
  ];
  await writeText(path, driftReport(drift, rows, about));
  console.error(`Report: ${path}`);
}
