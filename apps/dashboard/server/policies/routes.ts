import {
  newPolicy,
  type Policy,
  policy,
  policyChanges,
  policyChangesQuery,
  policyList,
  policyListQuery,
  policyParams,
  policyPatch,
  policyPreview,
  previewQuery,
} from '@tocsin/contract';
import {
  addPolicy,
  changePolicy,
  policyChanges as changesOf,
  findPolicy,
  itemsBySeq,
  listPolicies,
  type PolicyRow,
  previewThreshold,
  rankRun,
} from '@tocsin/store';
import { audited, whoOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import { type ApiError, conflictOr, notFound } from '../http/api-error.js';
import { pageOfRows, placeOf, serialPlace } from '../http/cursor.js';
import { visibleRun } from '../runs/run-answer.js';
import { previewOf } from '../runs/stored-text.js';

const tags = ['policies'];

/** Named thresholds. They apply when scores are read: moving one rescores nothing. */
export function policyRoutes(app: App, { pool }: Services): void {
  app.get(
    '/policies',
    {
      config: { needs: 'look' },
      schema: {
        tags,
        summary: 'Policies, the lowest threshold first',
        querystring: policyListQuery,
        response: { 200: policyList },
      },
    },
    async (request) => ({ data: (await listPolicies(pool, request.query)).map(answerOf) }),
  );

  app.get(
    '/policies/:name',
    {
      config: { needs: 'look' },
      schema: { tags, summary: 'One policy', params: policyParams, response: { 200: policy } },
    },
    async (request) => answerOf(await requirePolicy(request.params.name)),
  );

  app.post(
    '/policies',
    {
      config: { needs: 'manage' },
      schema: { tags, summary: 'Make a policy', body: newPolicy, response: { 201: policy } },
    },
    async (request, reply) => {
      const { note, ...given } = request.body;
      const made = await conflictOr(() => addPolicy(pool, given, { who: whoOf(request).name, note }));
      await audited(pool, request, {
        action: 'policy.create',
        subject: made.name,
        details: { to: made.threshold },
      });
      return reply.code(201).send(answerOf(made));
    },
  );

  app.patch(
    '/policies/:name',
    {
      config: { needs: 'manage' },
      schema: {
        tags,
        summary: 'Change the threshold, rename or archive a policy; changes are recorded',
        params: policyParams,
        body: policyPatch,
        response: { 200: policy },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { note, ...changes } = request.body;
      const before = await requirePolicy(name);
      const after = await conflictOr(() =>
        changePolicy(pool, name, changes, { who: whoOf(request).name, note }),
      );
      if (after === undefined) throw noSuchPolicy(name);
      const details = {
        from: before.threshold,
        to: after.threshold,
        name: after.name,
        archived: after.archivedAt !== null,
      };
      await audited(pool, request, { action: 'policy.change', subject: name, details });
      return answerOf(after);
    },
  );

  app.get(
    '/policies/:name/changes',
    {
      config: { needs: 'look' },
      schema: {
        tags,
        summary: 'History of changes, newest first',
        params: policyParams,
        querystring: policyChangesQuery,
        response: { 200: policyChanges },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { id } = await requirePolicy(request.params.name);
      const rows = await changesOf(pool, id, { limit: limit + 1, before: placeOf(cursor, serialPlace) });
      return pageOfRows(
        rows,
        limit,
        ({ at, thresholdFrom, thresholdTo, ...change }) => ({
          ...change,
          at: at.toISOString(),
          from: thresholdFrom,
          to: thresholdTo,
        }),
        (change) => change.id,
      );
    },
  );

  app.get(
    '/policies/:name/preview',
    {
      config: { needs: 'read' },
      schema: {
        tags,
        summary: 'Preview another threshold on a run',
        params: policyParams,
        querystring: previewQuery,
        response: { 200: policyPreview },
      },
    },
    async (request) => {
      const { threshold: to, run: runId, examples } = request.query;
      const { threshold: from } = await requirePolicy(request.params.name);
      const run = await visibleRun(pool, request, runId);
      const { asOf, final } = await rankRun(pool, run.id);
      const preview = await previewThreshold(pool, run.id, { from, to, examples });
      const seqs = preview.examples.map(({ seq }) => seq);
      const rows = new Map((await itemsBySeq(pool, run, seqs, { texts: true })).map((row) => [row.seq, row]));
      if (seqs.length > 0) {
        const subject = `run ${run.id}, ${seqs.length} rows`;
        await audited(pool, request, { action: 'text.preview', subject, runId: run.id, details: { seqs } });
      }
      return {
        run: run.id,
        asOf: asOf.toISOString(),
        final,
        from,
        to,
        ...preview,
        examples: preview.examples.map(({ seq, score }) => ({
          seq,
          score,
          key: rows.get(seq)?.key ?? '',
          ...previewOf(rows.get(seq)),
        })),
      };
    },
  );

  async function requirePolicy(name: string): Promise<PolicyRow> {
    const found = await findPolicy(pool, name);
    if (found === undefined) throw noSuchPolicy(name);
    return found;
  }
}

const noSuchPolicy = (name: string): ApiError =>
  notFound(`policy ${name}`, 'List them with GET /api/policies');

function answerOf({ id: _, createdAt, archivedAt, changedAt, ...rest }: PolicyRow): Policy {
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    archivedAt: archivedAt?.toISOString() ?? null,
    changedAt: changedAt.toISOString(),
  };
}
