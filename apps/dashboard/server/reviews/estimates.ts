import type { ReviewSummary } from '@tocsin/contract';
import { type Stratum, sampledRates } from '@tocsin/evaluate';
import type { JudgedContent } from '@tocsin/store';

/** Thresholds that are told of, whatever the policies are. */
const GRID = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/** Edges of the strata: every threshold that is told of, and the ends. Ascending, each once. */
export function edgesOf(thresholds: readonly number[]): number[] {
  const inside = [...GRID, ...thresholds].map(Math.fround).filter((edge) => edge > 0 && edge < 1);
  return [0, ...[...new Set(inside)].sort((a, b) => a - b), 1];
}

/**
 * Precision and recall at each inner edge.
 * @param rows of each bin between the edges, judged or not
 */
export function estimatesAt(
  edges: readonly number[],
  rows: readonly number[],
  judged: readonly JudgedContent[],
): ReviewSummary['thresholds'] {
  const strata: (Stratum & { judged: { rows: number; harmful: number }[] })[] = rows.map((count) => ({
    rows: count,
    judged: [],
  }));
  for (const content of judged) {
    strata[binOf(edges, content.score)]?.judged.push({ rows: content.rows, harmful: harmfulShare(content) });
  }
  const inner = edges.slice(1, -1);
  const rates = sampledRates(
    strata,
    inner.map((_, i) => i + 1),
  );
  return inner.map((threshold, i) => ({
    threshold: shortest(threshold),
    flagged: rows.slice(i + 1).reduce((sum, count) => sum + count, 0),
    precision: rates[i]?.precision ?? null,
    recall: rates[i]?.recall ?? null,
  }));
}

/** What most say; where they are of two minds, half. */
function harmfulShare({ verdicts }: JudgedContent): number {
  const harmful = verdicts.filter(({ verdict }) => verdict === 'harmful').length;
  const fine = verdicts.length - harmful;
  return harmful === fine ? 0.5 : Number(harmful > fine);
}

/** A bin holds its lower edge, the last one its upper edge too. */
function binOf(edges: readonly number[], score: number): number {
  const above = edges.findIndex((edge) => edge > Math.fround(score));
  return (above === -1 ? edges.length - 1 : above) - 1;
}

/** 0.05, of the nearest number with 24 bits: the shortest that stands for the same. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
