import { Readable } from 'node:stream';
import { reviewSummary, summaryQuery } from '@tocsin/contract';
import { agreement } from '@tocsin/evaluate';
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
import { audited } from '../access/audited.js';
import type { App } from '../app.js';
import { untilGone } from '../http/client-gone.js';
import { visibleRun } from '../runs/visible-run.js';
import type { Services } from '../services.js';
import { edgesOf, estimatesAt } from './estimates.js';
import { reviewerNames } from './reviewer.js';

const tags = ['reviews'];

/** What reviews come to. */
export function reviewSummaryRoutes(app: App, { pool }: Services): void {
  app.get(
    '/reviews/summary',
    {
      config: { needs: 'oversee' },
      schema: {
        tags,
        summary: 'Who has judged how much, how far they agree, precision and recall by threshold',
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
        summary: 'What was judged, as labelled JSONL for `tocsin eval`; rows whose text was kept',
        querystring: summaryQuery,
        response: { 200: { content: { 'application/jsonl': { schema: z.any() } } } },
      },
    },
    async (request, reply) => {
      const run = await visibleRun(pool, request, request.query.run);
      const judged = await judgedContents(pool, run);
      const subject = `run ${run.id}, the kept texts of ${judged.length} reviewed contents`;
      await audited(pool, request, { action: 'text.export', subject, runId: run.id });
      return reply
        .type('application/jsonl')
        .header('content-disposition', `attachment; filename="run-${run.id}.reviewed.jsonl"`)
        .send(Readable.from(linesOf(pool, run.id, judged, untilGone(reply))));
    },
  );
}

/** The first two verdicts of each content that two have judged. */
function pairsOf(judged: readonly JudgedContent[]): [boolean, boolean][] {
  return judged.flatMap(({ verdicts: [first, second] }): [boolean, boolean][] =>
    first === undefined || second === undefined
      ? []
      : [[first.verdict === 'harmful', second.verdict === 'harmful']],
  );
}

/** Contents whose text was kept, a line each. */
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

/** What reviewers are of two minds about has no label: `tocsin eval` leaves such rows out. */
function lineOf({ key, score, verdicts }: JudgedContent, json: string): string {
  const harmful = verdicts.filter(({ verdict }) => verdict === 'harmful').length;
  const fine = verdicts.length - harmful;
  const label = harmful === fine ? null : Number(harmful > fine);
  return `${JSON.stringify({ id: key, ...(itemValue(json) as object), label, score, harmful, fine })}\n`;
}
