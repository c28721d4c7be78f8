import { counts, countsQuery, histogram, histogramQuery, runParams } from '@tocsin/contract';
import { countAtLeast, countByScore, rankRun } from '@tocsin/store';
import type { App } from '../app.js';
import type { Services } from '../services.js';
import { visibleRun } from './visible-run.js';

const tags = ['runs'];

/** The scores of a run as a whole. */
export function runScoreRoutes(app: App, { pool }: Services): void {
  app.get(
    '/runs/:id/histogram',
    {
      config: { needs: 'read' },
      schema: {
        tags,
        summary: 'How many rows have which score',
        params: runParams,
        querystring: histogramQuery,
        response: { 200: histogram },
      },
    },
    async (request) => {
      const { id } = await visibleRun(pool, request, request.params.id);
      const { bins } = request.query;
      const { asOf, final, scored } = await rankRun(pool, id);
      const edges = Array.from({ length: bins + 1 }, (_, i) => i / bins);
      const counted = await countByScore(pool, id, edges);
      return { asOf: asOf.toISOString(), final, rows: scored, edges, counts: counted };
    },
  );

  app.get(
    '/runs/:id/counts',
    {
      config: { needs: 'read' },
      schema: {
        tags,
        summary: 'How many rows a threshold flags',
        params: runParams,
        querystring: countsQuery,
        response: { 200: counts },
      },
    },
    async (request) => {
      const { id } = await visibleRun(pool, request, request.params.id);
      const { threshold } = request.query;
      const { asOf, final, scored } = await rankRun(pool, id);
      const [flagged = 0] = await countAtLeast(pool, id, [threshold]);
      return { asOf: asOf.toISOString(), final, threshold, flagged, scored };
    },
  );
}
