import {
  type Batch,
  batch,
  batchList,
  batchListQuery,
  batchParams,
  COMPLETION_SECONDS,
  inSeconds,
  listOfRows,
  newBatch,
  refusals,
  unixSeconds,
} from '@tocsin/contract/openai';
import type { Pool } from '@tocsin/postgres';
import {
  addBatch,
  type BatchRow,
  cancelBatch,
  findBatch,
  findFile,
  findRun,
  pageBatches,
  runProgress,
} from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { audited, onlyOwner, whoOf } from '../../access/who.js';
import type { App } from '../../app.js';
import { conflict, invalid, notFound } from '../errors.js';
import { newId, type OpenaiOptions } from '../models.js';
import type { BatchKeeper } from './batch-keeper.js';

/** `/batches`: files of requests, scored as runs. */
export function batchRoutes(app: App, { pool }: OpenaiOptions, keeper: BatchKeeper): void {
  /** @throws OpenaiError for a batch that does not exist or belongs to another key: the two are indistinguishable */
  const visibleBatch = async (request: FastifyRequest, id: string): Promise<BatchRow> => {
    const found = await findBatch(pool, id);
    const owner = onlyOwner(whoOf(request));
    if (found !== undefined && (owner === undefined || owner === found.ownerKey)) return found;
    throw notFound(`No batch found with id '${id}'.`, 'id');
  };

  app.post(
    '/batches',
    {
      config: { needs: 'submit' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Score a file of requests',
        body: newBatch,
        response: { 200: batch, ...refusals },
      },
    },
    async (request) => {
      const who = whoOf(request);
      const { input_file_id, endpoint, completion_window, metadata, output_expires_after } = request.body;
      const owner = onlyOwner(who);
      const input = await findFile(pool, input_file_id);
      if (input === undefined || (owner !== undefined && owner !== input.ownerKey))
        throw notFound(`No such File object: ${input_file_id}`, 'input_file_id');
      if (input.purpose !== 'batch') {
        throw invalid('The input file has to be one with the purpose "batch".', 'input_file_id');
      }
      const created = await addBatch(pool, {
        id: newId('batch_'),
        ownerKey: who.keyId,
        inputFile: input.id,
        endpoint,
        completionWindow: completion_window,
        expiresAt: inSeconds(COMPLETION_SECONDS),
        outputExpiresAfter: output_expires_after?.seconds,
        metadata,
      });
      await audited(pool, request, { action: 'batch.create', subject: created.id });
      keeper.nudge();
      return batchAnswer(pool, created);
    },
  );

  app.get(
    '/batches',
    {
      config: { needs: 'read' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Batches, the newest first',
        querystring: batchListQuery,
        response: { 200: batchList, ...refusals },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      if (after !== undefined) await visibleBatch(request, after);
      const ownerKey = onlyOwner(whoOf(request));
      const rows = await pageBatches(pool, { limit: limit + 1, after, ownerKey });
      return listOfRows(await Promise.all(rows.map((row) => batchAnswer(pool, row))), limit);
    },
  );

  app.get(
    '/batches/:id',
    {
      config: { needs: 'read' },
      schema: {
        tags: ['OpenAI'],
        summary: 'A batch',
        params: batchParams,
        response: { 200: batch, ...refusals },
      },
    },
    async (request) => batchAnswer(pool, await visibleBatch(request, request.params.id)),
  );

  app.post(
    '/batches/:id/cancel',
    {
      config: { needs: 'submit' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Cancel a batch',
        params: batchParams,
        response: { 200: batch, ...refusals },
      },
    },
    async (request) => {
      const { id, state } = await visibleBatch(request, request.params.id);
      const cancelled = await cancelBatch(pool, id);
      if (cancelled === undefined) throw conflict(`A batch with the status '${state}' cannot be cancelled.`);
      await audited(pool, request, { action: 'batch.cancel', subject: id });
      keeper.nudge();
      return batchAnswer(pool, cancelled);
    },
  );
}

/** A batch in OpenAI's format. While it is in progress, `completed` is estimated from the rows with scores. */
async function batchAnswer(pool: Pool, batch: BatchRow): Promise<Batch> {
  const { total, failed } = batch;
  const completed = batch.state === 'in_progress' ? await completedSoFar(pool, batch) : batch.completed;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: batch.model,
    errors: batch.errors === null ? null : { object: 'list', data: batch.errors },
    input_file_id: batch.inputFile,
    completion_window: batch.completionWindow,
    status: batch.state,
    output_file_id: batch.outputFile,
    error_file_id: batch.errorFile,
    created_at: unixSeconds(batch.createdAt),
    in_progress_at: secondsOrNull(batch.inProgressAt),
    expires_at: unixSeconds(batch.expiresAt),
    finalizing_at: secondsOrNull(batch.finalizingAt),
    completed_at: secondsOrNull(batch.completedAt),
    failed_at: secondsOrNull(batch.failedAt),
    expired_at: secondsOrNull(batch.expiredAt),
    cancelling_at: secondsOrNull(batch.cancellingAt),
    cancelled_at: secondsOrNull(batch.cancelledAt),
    request_counts: { total, completed, failed },
    metadata: batch.metadata,
    run: batch.runId,
  };
}

const secondsOrNull = (time: Date | null): number | null => (time === null ? null : unixSeconds(time));

/** A request may have several texts, and the run counts texts: their share approximates that of the requests. */
async function completedSoFar(pool: Pool, { runId, total, failed }: BatchRow): Promise<number> {
  // The batch of a purged run is finalized within a second.
  if (runId === null) return 0;
  const [run, { contents, contentsDone }] = await Promise.all([
    findRun(pool, runId),
    runProgress(pool, runId),
  ]);
  const texts = run === undefined ? 0 : run.rows - run.rejected;
  if (texts === 0) return 0;
  const left = Math.min(contents - contentsDone, texts) / texts;
  return Math.floor((total - failed) * (1 - left));
}
