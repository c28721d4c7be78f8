import { writeText } from '@tocsin/corpus';
import type { Drift } from '@tocsin/evaluate';
import { madeText } from '../version.js';
import type { ComparedScores, CompareFlags } from './compare-scores.js';
import { countsText, sideText } from './print-drift.js';

/** Writes a drift as one HTML file. */
export async function writeDriftReport(
  path: string,
  drift: Drift,
  { rows, sides, counts }: ComparedScores,
  files: string[],
  flags: CompareFlags,
): Promise<void> {
  // Charts take a while to load, and only reports draw them.
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
