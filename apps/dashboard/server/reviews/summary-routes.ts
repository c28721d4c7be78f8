import { Readable } from 'node:stream';
import { type ReviewSummary, reviewSummary, summaryQuery } from '@tocsin/contract';
import { agreement, type Stratum, sampledRates } from '@tocsin/evaluate';
import { itemValue } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import {
  countByScore,
  type JudgedContent,
  judgedContents,
  listPolicies,
  rankRun,
  reviewerCounts,
  textsInTurn,
} from '@tocsin/store';
import { z } from 'zod';
import { audited } from '../access/who.js';
import type { App, Services } from '../app.js';
import { untilGone } from '../http/connections.js';
import { visibleRun } from '../runs/run-answer.js';
import { reviewerNames } from './routes.js';

const tags = ['reviews'];

/** Results of reviews. */
export function reviewSummaryRoutes(app: App, { pool }: Services): void {
  app.get(
    '/reviews/summary',
    {
      config: { needs: 'oversee' },
      schema: {
        tags,
        summary: 'Verdicts per reviewer, agreement, and precision and recall by threshold',
        querystring: summaryQuery,
        response: { 200: reviewSummary },
      },
    },
    async (request) => {
      const run = await visibleRun(pool, request, request.query.run);
      await rankRun(pool, run.id);
      const [judged, counted, policies, nameOf] = await Promise.all([
        judgedContents(pool, run),
        reviewerCounts(pool, run.id),
        listPolicies(pool),
        reviewerNames(pool),
      ]);
      const thresholds = policies.map(({ threshold }) => threshold);
      const edges = edgesOf(run.threshold === null ? thresholds : [...thresholds, run.threshold]);
      const { pairs, agreed, kappa } = agreement(pairsOf(judged));
      return {
        run: run.id,
        judged: judged.length,
        reviewers: counted.map((counts) => ({ ...counts, reviewer: nameOf(counts.reviewer) })),
        agreement: { pairs, agreed, kappa: kappa ?? null },
        thresholds: estimatesAt(edges, await countByScore(pool, run.id, edges), judged),
      };
    },
  );

  app.get(
    '/reviews/export',
    {
      config: { needs: 'review' },
      schema: {
        tags,
        summary: 'Verdicts as labelled JSONL for `tocsin eval`, for rows with stored text',
        querystring: summaryQuery,
        response: { 200: { content: { 'application/jsonl': { schema: z.any() } } } },
      },
    },
    async (request, reply) => {
      const run = await visibleRun(pool, request, request.query.run);
      const judged = await judgedContents(pool, run);
      const subject = `run ${run.id}, the stored texts of ${judged.length} reviewed contents`;
      await audited(pool, request, { action: 'text.export', subject, runId: run.id });
      return reply
        .type('application/jsonl')
        .header('content-disposition', `attachment; filename="run-${run.id}.reviewed.jsonl"`)
        .send(Readable.from(linesOf(pool, run.id, judged, untilGone(reply))));
    },
  );
}

/** The first two verdicts of each content with at least two. */
function pairsOf(judged: readonly JudgedContent[]): [boolean, boolean][] {
  return judged.flatMap(({ verdicts: [first, second] }): [boolean, boolean][] =>
    first === undefined || second === undefined
      ? []
      : [[first.verdict === 'harmful', second.verdict === 'harmful']],
  );
}

/** Contents whose text is stored, one line each. */
async function* linesOf(
  pool: Pool,
  runId: number,
  judged: readonly JudgedContent[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const bySeq = new Map(judged.map((content) => [content.seq, content]));
  for await (const { texts } of textsInTurn(pool, runId, [...bySeq.keys()], { signal })) {
    for (const [seq, json] of texts) {
      const content = bySeq.get(seq);
      if (content !== undefined) yield lineOf(content, json);
    }
  }
}

/** Disputed rows have no label: `tocsin eval` skips them. */
function lineOf({ key, score, verdicts }: JudgedContent, json: string): string {
  const harmful = verdicts.filter(({ verdict }) => verdict === 'harmful').length;
  const fine = verdicts.length - harmful;
  const label = harmful === fine ? null : Number(harmful > fine);
  return `${JSON.stringify({ id: key, ...(itemValue(json) as object), label, score, harmful, fine })}\n`;
}

/** Thresholds that are always reported, besides those of policies. */
const GRID = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/** Edges of the strata: all reported thresholds and both ends, ascending and unique. */
export function edgesOf(thresholds: readonly number[]): number[] {
  const inside = [...GRID, ...thresholds].map(Math.fround).filter((edge) => edge > 0 && edge < 1);
  return [0, ...[...new Set(inside)].sort((a, b) => a - b), 1];
}

/**
 * Precision and recall at each inner edge.
 * @param rows per bin between the edges, judged or not
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

/** The majority verdict; 0.5 for a tie. */
function harmfulShare({ verdicts }: JudgedContent): number {
  const harmful = verdicts.filter(({ verdict }) => verdict === 'harmful').length;
  const fine = verdicts.length - harmful;
  return harmful === fine ? 0.5 : Number(harmful > fine);
}

/** A bin includes its lower edge, the last bin also its upper edge. */
function binOf(edges: readonly number[], score: number): number {
  const above = edges.findIndex((edge) => edge > Math.fround(score));
  return (above === -1 ? edges.length - 1 : above) - 1;
}

/** The shortest decimal for a float32: 0.05, not 0.05000000074505806. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
