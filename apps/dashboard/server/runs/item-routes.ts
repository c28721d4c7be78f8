import {
  threshold as boundOfScores,
  itemDetail,
  itemList,
  itemParams,
  itemsQuery,
  rejectList,
  rejectsQuery,
  runParams,
  trace,
  traceQuery,
} from '@tocsin/contract';
import { findItem, type ItemRow, pageItems, problemRows, type Run, rankRun } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { audited, clientOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import { ApiError, notFound } from '../http/api-error.js';
import { untilGone } from '../http/connections.js';
import { cursorOf, pageOfRows, placeOf, serialPlace } from '../http/cursor.js';
import { traceAnswer } from '../scoring/score-routes.js';
import { visibleRun } from './run-answer.js';
import { previewOf, shownContent, storedItem } from './stored-text.js';

const tags = ['runs'];
const place = z.strictObject({ seq: serialPlace, score: boundOfScores.optional() });

/** The rows of a run. */
export function itemRoutes(app: App, { pool, guards }: Services): void {
  app.get(
    '/runs/:id/items',
    {
      config: { needs: 'read' },
      schema: {
        tags,
        summary: 'Rows, by score or in corpus order',
        params: runParams,
        querystring: itemsQuery,
        response: { 200: itemList },
      },
    },
    async (request) => {
      const run = await visibleRun(pool, request, request.params.id);
      const { limit, cursor, min, max, order, q } = request.query;
      const after = placeOf(cursor, order === 'seq' ? place : place.required());
      const { asOf, final } = await rankRun(pool, run.id);
      const query = { limit, min, max, order, search: q, after, texts: true };
      const { rows, next } = await pageItems(pool, run, query);
      await auditPreviews(request, run, rows);
      return {
        asOf: asOf.toISOString(),
        final,
        data: rows.map((row) => ({
          seq: row.seq,
          key: row.key,
          score: row.score,
          truncated: row.truncated,
          ...previewOf(row),
          reason: row.reject ?? row.error,
        })),
        next: next === null ? null : cursorOf(next),
      };
    },
  );

  app.get(
    '/runs/:id/items/:seq',
    {
      config: { needs: 'read' },
      schema: { tags, summary: 'One row with its text', params: itemParams, response: { 200: itemDetail } },
    },
    async (request) => {
      const { run, item } = await readItem(request, request.params);
      const { seq, key, score, tokens, truncated, json } = item;
      return {
        run: run.id,
        seq,
        key,
        score,
        tokens,
        truncated,
        reason: item.reject ?? item.error,
        content: json === null ? null : shownContent(json, item),
      };
    },
  );

  app.get(
    '/runs/:id/items/:seq/trace',
    {
      config: { needs: 'read', interactive: true },
      schema: {
        tags,
        summary: 'Where a row turns harmful: the score after every token',
        params: itemParams,
        querystring: traceQuery,
        response: { 200: trace },
      },
    },
    async (request, reply) => {
      const { run, item } = await readItem(request, request.params);
      if (item.json === null) {
        throw new ApiError(409, `the text of row ${item.seq} is not stored`, {
          hint: 'Runs keep the texts of flagged rows, or of all, or of none: see `retain`.',
        });
      }
      const guard = guards.ofFingerprint(run.fingerprint);
      const threshold = request.query.threshold ?? run.threshold ?? guard.threshold;
      const stored = storedItem(item.json, item);
      const work = { client: clientOf(request), characters: item.json.length, signal: untilGone(reply) };
      const traced = await guard.prefixGate.run(work, async () =>
        (await guard.prefixes()).trace(stored, { threshold }),
      );
      return traceAnswer(traced, { guard: guard.name, threshold, policy: null });
    },
  );

  app.get(
    '/runs/:id/rejects',
    {
      config: { needs: 'read' },
      schema: {
        tags,
        summary: 'Rows without a score, and why',
        params: runParams,
        querystring: rejectsQuery,
        response: { 200: rejectList },
      },
    },
    async (request) => {
      const run = await visibleRun(pool, request, request.params.id);
      const { limit, cursor } = request.query;
      const after = placeOf(cursor, serialPlace);
      const { failed } = await rankRun(pool, run.id);
      // Counting to zero would scan all rows.
      const rows = run.rejected + failed === 0 ? [] : await problemRows(pool, run.id, limit + 1, after);
      return pageOfRows(
        rows,
        limit,
        ({ seq, key, unreadable, reason }) => ({
          seq,
          key,
          reason,
          kind: unreadable ? ('unreadable' as const) : ('failed' as const),
        }),
        ({ seq }) => seq,
      );
    },
  );

  /** Returns a row to the caller, after recording that its text is read. */
  async function readItem(
    request: FastifyRequest,
    { id, seq }: { id: number; seq: number },
  ): Promise<{ run: Run; item: ItemRow }> {
    const run = await visibleRun(pool, request, id);
    const item = await findItem(pool, run, seq);
    if (item === undefined) throw notFound(`row ${seq} of run ${id}`);
    if (item.json !== null) {
      await audited(pool, request, { action: 'text.read', subject: `run ${id}, row ${seq}`, runId: id, seq });
    }
    return { run, item };
  }

  /** One audit entry covers a page of excerpts. */
  async function auditPreviews(request: FastifyRequest, run: Run, rows: readonly ItemRow[]): Promise<void> {
    const seqs = rows.filter(({ json }) => json !== null).map(({ seq }) => seq);
    if (seqs.length === 0) return;
    const subject = `run ${run.id}, ${seqs.length} rows`;
    await audited(pool, request, { action: 'text.preview', subject, runId: run.id, details: { seqs } });
  }
}
