import { compareParams, compareQuery, comparison } from '@tocsin/contract';
import { DistributionDrift } from '@tocsin/evaluate';
import type { Pool } from '@tocsin/postgres';
import { compareRuns, eachRanked, itemsBySeq, rankRun } from '@tocsin/store';
import { audited } from '../access/who.js';
import type { App, Services } from '../app.js';
import { visibleRun } from './run-answer.js';
import { previewOf } from './stored-text.js';

const DEFAULT_THRESHOLD = 0.5;

/** Comparison of two runs. */
export function compareRoutes(app: App, { pool }: Services): void {
  app.get(
    '/runs/:id/compare/:other',
    {
      config: { needs: 'read' },
      schema: {
        tags: ['runs'],
        summary: 'What has changed since another run, by the keys of the rows',
        params: compareParams,
        querystring: compareQuery,
        response: { 200: comparison },
      },
    },
    async (request) => {
      const { params, query } = request;
      const run = await visibleRun(pool, request, params.id);
      const other = await visibleRun(pool, request, params.other);
      const { threshold = run.threshold ?? DEFAULT_THRESHOLD, examples } = query;
      await rankRun(pool, run.id);
      await rankRun(pool, other.id);
      const [compared, drift] = await Promise.all([
        compareRuns(pool, { now: run.id, before: other.id }, { threshold, examples }),
        scoreDrift(pool, { now: run.id, before: other.id }),
      ]);
      const seqs = compared.examples.map(({ seq }) => seq);
      const rows = await itemsBySeq(pool, run, seqs, { texts: true });
      const texts = new Map(rows.map((row) => [row.seq, row]));
      if (rows.some(({ json }) => json !== null)) {
        const subject = `run ${run.id}, ${seqs.length} rows`;
        await audited(pool, request, { action: 'text.preview', subject, runId: run.id, details: { seqs } });
      }
      const { newKeys: newRows, goneKeys: gone, both, flippedUp, flippedDown } = compared;
      return {
        run: run.id,
        other: other.id,
        threshold,
        both,
        flippedUp,
        flippedDown,
        newRows,
        gone,
        psi: drift.populationStability ?? null,
        ks: drift.kolmogorovSmirnov ?? null,
        examples: compared.examples.map(({ key, seq, before, now }) => ({
          key,
          seq,
          score: now,
          otherScore: before,
          ...previewOf(texts.get(seq)),
        })),
      };
    },
  );
}

/** Distance between the score distributions of two ranked runs, ignoring keys. Undefined unless both have scores. */
async function scoreDrift(
  pool: Pool,
  { now, before }: { now: number; before: number },
): Promise<DistributionDrift> {
  const [a, b] = await Promise.all([scoresOf(pool, before), scoresOf(pool, now)]);
  const drift = new DistributionDrift({ before: a.length, now: b.length });
  // Both are sorted in descending order; read backwards they ascend.
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

/** Scores in rank order: the highest first. */
async function scoresOf(pool: Pool, runId: number): Promise<number[]> {
  const all: number[] = [];
  for await (const { scores } of eachRanked(pool, runId)) for (const score of scores) all.push(score);
  return all;
}
