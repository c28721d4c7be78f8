import {
  type GivenVerdict,
  givenVerdict,
  newVerdict,
  nextRequest,
  nextReview,
  type ReviewRow,
  releaseRequest,
  undoneVerdict,
  undoRequest,
} from '@tocsin/contract';
import type { Pool } from '@tocsin/postgres';
import {
  findItem,
  giveVerdict,
  type KeyRow,
  type LeasedRow,
  leaseFirst,
  listKeys,
  nextReview as nextReviewOf,
  type Run,
  rankRun,
  releaseReviews,
  undoVerdict,
  type VerdictRow,
} from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { audited, whoOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import { conflictOr, notFound } from '../http/api-error.js';
import { thresholdOf } from '../policies/judgement.js';
import { visibleRun } from '../runs/run-answer.js';
import { shownContent } from '../runs/stored-text.js';

const tags = ['reviews'];
/** Threshold of the `uncertain` queue for a run without one. */
const DEFAULT_THRESHOLD = 0.5;

/** The review queue: rows are judged one at a time. */
export function reviewRoutes(app: App, { pool }: Services): void {
  app.post(
    '/reviews/next',
    {
      config: { needs: 'review' },
      schema: {
        tags,
        summary: 'The next row to judge, reserved for ten minutes',
        body: nextRequest,
        response: { 200: nextReview },
      },
    },
    async (request) => {
      const { order, second, besides } = request.body;
      const run = await visibleRun(pool, request, request.body.run);
      await rankRun(pool, run.id);
      const threshold = (await thresholdOf(pool, request.body)) ?? run.threshold ?? DEFAULT_THRESHOLD;
      const query = { reviewer: reviewerOf(request), order, threshold, second, besides };
      const leased = await nextReviewOf(pool, run, query);
      return { row: leased === undefined ? null : await readRow(request, run, leased) };
    },
  );

  app.post(
    '/reviews/verdicts',
    {
      config: { needs: 'review' },
      schema: { tags, summary: 'Judge a row', body: newVerdict, response: { 201: givenVerdict } },
    },
    async (request, reply) => {
      const { seq, verdict, note } = request.body;
      const run = await visibleRun(pool, request, request.body.run);
      const reviewer = reviewerOf(request);
      const given = await conflictOr(() => giveVerdict(pool, run, { seq, reviewer, verdict, note }));
      if (given === undefined) throw notFound(`row ${seq} with a score in run ${run.id}`);
      const subject = `run ${run.id}, row ${seq}`;
      await audited(pool, request, {
        action: 'review.verdict',
        subject,
        runId: run.id,
        seq,
        details: { verdict },
      });
      return reply.code(201).send(answerOf(run, given));
    },
  );

  app.post(
    '/reviews/undo',
    {
      config: { needs: 'review' },
      schema: {
        tags,
        summary: 'Take the last verdict back: its row is before you again',
        body: undoRequest,
        response: { 200: undoneVerdict },
      },
    },
    async (request) => {
      const run = await visibleRun(pool, request, request.body.run);
      const reviewer = reviewerOf(request);
      const undone = await undoVerdict(pool, run.id, reviewer);
      if (undone === undefined) return { undone: null, row: null };
      const { seq, score } = undone;
      const subject = `run ${run.id}, row ${seq}`;
      await audited(pool, request, { action: 'review.undo', subject, runId: run.id, seq });
      const again = { seq, score };
      const leased =
        (await leaseFirst(pool, run, { reviewer, second: false }, [again])) ??
        (await leaseFirst(pool, run, { reviewer, second: true }, [again]));
      const row = leased === undefined ? null : await readRow(request, run, leased);
      return { undone: answerOf(run, undone), row };
    },
  );

  app.post(
    '/reviews/release',
    {
      config: { needs: 'review' },
      schema: {
        tags,
        summary: 'Release a leased row',
        body: releaseRequest,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const run = await visibleRun(pool, request, request.body.run);
      await releaseReviews(pool, run.id, reviewerOf(request));
      return reply.code(204).send();
    },
  );

  /**
   * The leased row for its reviewer; null when its text was deleted meanwhile. The read is recorded before the
   * response.
   */
  async function readRow(
    request: FastifyRequest,
    run: Run,
    { seq, until }: LeasedRow,
  ): Promise<ReviewRow | null> {
    const item = await findItem(pool, run, seq);
    if (item === undefined || item.json === null || item.score === null) return null;
    const subject = `run ${run.id}, row ${seq}`;
    await audited(pool, request, { action: 'text.read', subject, runId: run.id, seq });
    return {
      run: run.id,
      seq,
      key: item.key,
      score: item.score,
      content: shownContent(item.json, item),
      leasedUntil: until.toISOString(),
    };
  }
}

function answerOf(run: Run, { id, seq, verdict, note, createdAt }: VerdictRow): GivenVerdict {
  return { id, run: run.id, seq, verdict, note, at: createdAt.toISOString() };
}

/** The reviewer is the key: two keys may share a name. */
function reviewerOf(request: FastifyRequest): string {
  const { keyId, name } = whoOf(request);
  return keyId ?? name;
}

/** Display names of reviewers; keys with the same name are told apart by their prefix. */
export async function reviewerNames(pool: Pool): Promise<(reviewer: string) => string> {
  const keys = await listKeys(pool);
  const named = new Map(keys.map((key) => [key.id, nameOf(key, keys)]));
  return (reviewer) => named.get(reviewer) ?? reviewer;
}

function nameOf({ name, prefix, id }: KeyRow, keys: readonly KeyRow[]): string {
  const alone = keys.every((other) => other.id === id || other.name !== name);
  return alone ? name : `${name} (${prefix}…)`;
}
