import { compareParams, compareQuery, comparison } from '@tocsin/contract';
import { compareRuns, itemsBySeq, rankRun } from '@tocsin/store';
import { audited } from '../access/audited.js';
import type { App } from '../app.js';
import type { Services } from '../services.js';
import { scoreDrift } from './score-drift.js';
import { previewOf } from './stored-text.js';
import { visibleRun } from './visible-run.js';

const DEFAULT_THRESHOLD = 0.5;

/** A run beside another one. */
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
