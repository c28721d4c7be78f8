import {
  cancelledRun,
  counts,
  countsQuery,
  histogram,
  histogramQuery,
  retriedRun,
  run,
  runEvent,
  runList,
  runListQuery,
  runParams,
} from '@tocsin/contract';
import { isOpen, type RunState } from '@tocsin/core';
import { retryQueued } from '@tocsin/pipeline';
import {
  cancelRun,
  countAtLeast,
  countByScore,
  findRun,
  keptTexts,
  pageRuns,
  purgeableRuns,
  purgeRuns,
  rankRun,
  runNotes,
} from '@tocsin/store';
import { z } from 'zod';
import { audited, onlyOwner, whoOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import { ApiError, notFound } from '../http/api-error.js';
import { pageOfRows, placeOf, serialPlace } from '../http/cursor.js';
import { runAnswers, visibleRun } from './run-answer.js';

const tags = ['runs'];

/** Runs: list, progress and actions. */
export function runRoutes(app: App, { pool, backend, feeds }: Services): void {
  app.get(
    '/runs',
    {
      config: { needs: 'read' },
      schema: {
        tags,
        summary: 'Runs, the newest first',
        querystring: runListQuery,
        response: { 200: runList },
      },
    },
    async (request) => {
      const { limit, cursor, state, name } = request.query;
      const rows = await pageRuns(pool, {
        limit: limit + 1,
        before: placeOf(cursor, serialPlace),
        states: state === undefined ? undefined : [state],
        name,
        ownerKey: onlyOwner(whoOf(request)),
      });
      const answer = await runAnswers(pool, onlyOwner(whoOf(request)) !== undefined);
      const page = pageOfRows(
        rows,
        limit,
        (row) => row,
        ({ id }) => id,
      );
      return { ...page, data: await Promise.all(page.data.map(answer)) };
    },
  );

  app.get(
    '/runs/:id',
    {
      config: { needs: 'read' },
      schema: { tags, summary: 'One run', params: runParams, response: { 200: run } },
    },
    async (request) => {
      const { id } = request.params;
      await visibleRun(pool, request, id);
      const ranking = await rankRun(pool, id);
      const [found, textsKept, notes] = await Promise.all([
        findRun(pool, id),
        keptTexts(pool, id),
        runNotes(pool, id),
      ]);
      // The run was deleted meanwhile.
      if (found === undefined) throw notFound(`run ${id}`);
      const { outcome, ...summary } = await (await runAnswers(pool, onlyOwner(whoOf(request)) !== undefined))(
        found,
      );
      if (outcome === null)
        throw new Error(`run ${id} was ranked at ${ranking.asOf.toISOString()} and is not`);
      return { ...summary, outcome, textsKept, notes };
    },
  );

  app.get(
    '/runs/:id/events',
    {
      config: { needs: 'read', events: true },
      schema: {
        tags,
        summary: 'Server-sent events: `progress` each second, `over` at the end',
        params: runParams,
        response: { 200: { content: { 'text/event-stream': { schema: runEvent } } } },
      },
    },
    async (request, reply) => {
      const { id } = await visibleRun(pool, request, request.params.id);
      await feeds.join(id, request, reply);
    },
  );

  app.post(
    '/runs/:id/cancel',
    {
      config: { needs: 'submit' },
      schema: {
        tags,
        summary: 'Cancel a run; its scores are kept',
        params: runParams,
        response: { 200: cancelledRun },
      },
    },
    async (request) => {
      const { id } = await visibleRun(pool, request, request.params.id);
      const cancelled = await cancelRun(pool, id);
      if (cancelled) await audited(pool, request, { action: 'run.cancel', subject: `run ${id}`, runId: id });
      return { cancelled };
    },
  );

  app.post(
    '/runs/:id/retry',
    {
      config: { needs: 'submit' },
      schema: {
        tags,
        summary: 'Score what a run that is over has no score for',
        params: runParams,
        response: { 200: retriedRun },
      },
    },
    async (request) => {
      const found = await visibleRun(pool, request, request.params.id);
      requireOver(found);
      const { parcels, lost } = await retryQueued(pool, backend, found.id);
      const details = { parcels: parcels.length, lost };
      await audited(pool, request, {
        action: 'run.retry',
        subject: `run ${found.id}`,
        runId: found.id,
        details,
      });
      return details;
    },
  );

  app.delete(
    '/runs/:id',
    {
      config: { needs: 'submit' },
      schema: {
        tags,
        summary: 'Delete a run that is over, with its rows and texts; scores stay',
        params: runParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const found = await visibleRun(pool, request, request.params.id);
      requireOver(found);
      const rows = await purgeRuns(pool, await purgeableRuns(pool, { runId: found.id }));
      const details = { name: found.name, rows };
      await audited(pool, request, {
        action: 'run.delete',
        subject: `run ${found.id}`,
        runId: found.id,
        details,
      });
      return reply.code(204).send();
    },
  );
}

function requireOver({ id, state }: { id: number; state: RunState }): void {
  if (!isOpen(state)) return;
  throw new ApiError(409, `run ${id} is not over, its state is ${state}`, {
    hint: 'Wait for it, or cancel it first.',
  });
}

/** Statistics of a run's scores. */
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
        summary: 'Count the rows that a threshold flags',
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
