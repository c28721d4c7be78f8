import { DistributionDrift } from '@tocsin/evaluate';
import type { Pool } from '@tocsin/postgres';
import { eachRanked } from '@tocsin/store';

/** How far the scores of two ranked runs are apart, whatever their rows are. Undefined unless both have scores. */
export async function scoreDrift(
  pool: Pool,
  { now, before }: { now: number; before: number },
): Promise<DistributionDrift> {
  const [a, b] = await Promise.all([scoresOf(pool, before), scoresOf(pool, now)]);
  const drift = new DistributionDrift({ before: a.length, now: b.length });
  // Both are descending: from their ends on they ascend.
  let [i, j] = [a.length - 1, b.length - 1];
  while (i >= 0 || j >= 0) {
    const score = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    const [fromI, fromJ] = [i, j];
    while (a[i] === score) i -= 1;
    while (b[j] === score) j -= 1;
    drift.add({ score, before: fromI - i, now: fromJ - j });
  }
  return drift;
}

/** As the run is ranked: the highest first. */
async function scoresOf(pool: Pool, runId: number): Promise<number[]> {
  const all: number[] = [];
  for await (const { scores } of eachRanked(pool, runId)) for (const score of scores) all.push(score);
  return all;
}
