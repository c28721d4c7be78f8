import {
  deliveryList,
  firedNow,
  firingList,
  limitQuery,
  newSchedule,
  type Schedule,
  schedule,
  scheduleList,
  scheduleParams,
  schedulePatch,
  testedWebhook,
} from '@tocsin/contract';
import { DEFAULT_RETENTION, isUserError } from '@tocsin/core';
import { sourceLabel } from '@tocsin/corpus';
import { readScheduledRequest, scheduledRequestOf } from '@tocsin/pipeline';
import {
  DEFAULT_SECRET_ENV,
  nextTime,
  parseSecretEnv,
  parseTimes,
  parseWebhookUrl,
  sendTest,
  shownUrl,
  wakeSchedulers,
} from '@tocsin/scheduler';
import {
  addSchedule,
  fireNow,
  getSchedule,
  listDeliveries,
  listFirings,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  type ScheduleRow,
} from '@tocsin/store';
import { z } from 'zod';
import { audited } from '../access/who.js';
import type { App, Services } from '../app.js';
import { conflictOr, notFound } from '../http/api-error.js';
import { allowedSource } from './allowed-source.js';

const tags = ['schedules'];

/** Schedules and their webhooks. */
export function scheduleRoutes(app: App, { pool, backend, guards, schedules }: Services): void {
  const { corpusRoots, allowPrivateWebhooks: allowPrivate } = schedules;

  app.get(
    '/schedules',
    {
      config: { needs: 'oversee' },
      schema: { tags, summary: 'Schedules, by name', response: { 200: scheduleList } },
    },
    async () => ({
      data: (await listSchedules(pool)).map(answerOf),
      corpusRoots: [...corpusRoots],
    }),
  );

  app.get(
    '/schedules/:name',
    {
      config: { needs: 'oversee' },
      schema: { tags, summary: 'One schedule', params: scheduleParams, response: { 200: schedule } },
    },
    async (request) => answerOf(await requireSchedule(request.params.name)),
  );

  app.post(
    '/schedules',
    {
      config: { needs: 'manage' },
      schema: {
        tags,
        summary: 'Score a corpus whenever a cron expression comes due',
        body: newSchedule,
        response: { 201: schedule },
      },
    },
    async (request, reply) => {
      const { name, cron, timeZone, threshold, retain, webhookUrl, webhookSecretEnv } = request.body;
      const times = parseTimes({ cron, timeZone });
      const guard = guards.named(request.body.guard).source;
      const corpus: string[] = [];
      for (const source of request.body.corpus) corpus.push(await allowedSource(source, corpusRoots));
      const webhook =
        webhookUrl === undefined
          ? undefined
          : {
              url: parseWebhookUrl(webhookUrl, { allowPrivate }).href,
              secretEnv: parseSecretEnv(webhookSecretEnv ?? DEFAULT_SECRET_ENV),
            };
      const added = {
        ...times,
        name,
        webhook,
        request: scheduledRequestOf({
          sources: corpus,
          reading: { roots: [...corpusRoots] },
          guard,
          threshold,
          retain,
        }),
        nextAt: nextTime(times, new Date()),
      };
      const made = await conflictOr(() => addSchedule(pool, added));
      await wakeSchedulers(pool, backend);
      await audited(pool, request, {
        action: 'schedule.create',
        subject: name,
        details: { cron, timeZone, corpus },
      });
      return reply.code(201).send(answerOf(made));
    },
  );

  app.patch(
    '/schedules/:name',
    {
      config: { needs: 'manage' },
      schema: {
        tags,
        summary: 'Pause or resume',
        params: scheduleParams,
        body: schedulePatch,
        response: { 200: schedule },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { enabled } = request.body;
      const found = await requireSchedule(name);
      if (enabled) await resumeSchedule(pool, name, nextTime(found, new Date()));
      else await pauseSchedule(pool, name);
      await wakeSchedulers(pool, backend);
      await audited(pool, request, { action: enabled ? 'schedule.resume' : 'schedule.pause', subject: name });
      return answerOf(await requireSchedule(name));
    },
  );

  app.delete(
    '/schedules/:name',
    {
      config: { needs: 'manage' },
      schema: {
        tags,
        summary: 'Remove a schedule; its runs stay',
        params: scheduleParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { name } = await requireSchedule(request.params.name);
      await removeSchedule(pool, name);
      await wakeSchedulers(pool, backend);
      await audited(pool, request, { action: 'schedule.remove', subject: name });
      return reply.code(204).send();
    },
  );

  app.post(
    '/schedules/:name/run-now',
    {
      config: { needs: 'manage' },
      schema: {
        tags,
        summary: 'Make a schedule due now; the next scheduler that runs submits it',
        params: scheduleParams,
        response: { 202: firedNow },
      },
    },
    async (request, reply) => {
      const { name } = await requireSchedule(request.params.name);
      const fired = await conflictOr(() => fireNow(pool, name));
      await wakeSchedulers(pool, backend);
      await audited(pool, request, { action: 'schedule.run_now', subject: name });
      return reply.code(202).send({ firing: fired.id, dueAt: fired.dueAt.toISOString() });
    },
  );

  app.get(
    '/schedules/:name/firings',
    {
      config: { needs: 'oversee' },
      schema: {
        tags,
        summary: 'What came of it, the newest first',
        params: scheduleParams,
        querystring: limitQuery,
        response: { 200: firingList },
      },
    },
    async (request) => {
      const { id } = await requireSchedule(request.params.name);
      const rows = await listFirings(pool, id, request.query.limit);
      return {
        data: rows.map((row) => ({
          id: row.id,
          cause: row.cause,
          state: row.state,
          run: row.runId,
          reason: row.reason,
          dueAt: row.dueAt.toISOString(),
          startedAt: row.startedAt?.toISOString() ?? null,
          finishedAt: row.finishedAt?.toISOString() ?? null,
          summary: row.summary,
        })),
      };
    },
  );

  app.get(
    '/schedules/:name/deliveries',
    {
      config: { needs: 'oversee' },
      schema: {
        tags,
        summary: 'Messages to its webhook, the newest first',
        params: scheduleParams,
        querystring: limitQuery,
        response: { 200: deliveryList },
      },
    },
    async (request) => {
      const { id } = await requireSchedule(request.params.name);
      const rows = await listDeliveries(pool, id, request.query.limit);
      return {
        data: rows.map((row) => ({
          id: row.id,
          firing: row.firingId,
          state: row.state,
          attempts: row.attempts,
          lastStatus: row.lastStatus,
          lastError: row.lastError,
          nextAt: row.nextAt.toISOString(),
          createdAt: row.createdAt.toISOString(),
          finishedAt: row.finishedAt?.toISOString() ?? null,
          body: JSON.parse(row.body) as unknown,
        })),
      };
    },
  );

  app.post(
    '/schedules/:name/test-webhook',
    {
      config: { needs: 'manage' },
      schema: {
        tags,
        summary: 'Send a message of type `test` to its webhook, once, from this process',
        params: scheduleParams,
        response: { 200: testedWebhook },
      },
    },
    async (request) => {
      const found = await requireSchedule(request.params.name);
      const sent = await sendTest(found, { allowPrivate });
      await audited(pool, request, {
        action: 'schedule.test_webhook',
        subject: found.name,
        details: { result: sent.kind },
      });
      return {
        delivered: sent.kind === 'delivered',
        status: 'status' in sent ? (sent.status ?? null) : null,
        reason: 'reason' in sent ? sent.reason : null,
      };
    },
  );

  /** @throws ApiError when no schedule has this name */
  async function requireSchedule(name: string): Promise<ScheduleRow> {
    try {
      return await getSchedule(pool, name);
    } catch (error) {
      if (!isUserError(error)) throw error;
      throw notFound(`schedule ${name}`, 'List them with GET /api/schedules');
    }
  }

  function answerOf(row: ScheduleRow): Schedule {
    const { name, cron, timeZone, enabled, nextAt, createdAt, webhookUrl, webhookClosed } = row;
    const { sources, guard, threshold, retain } = readScheduledRequest(row.request);
    return {
      name,
      cron,
      timeZone,
      enabled,
      webhookClosed,
      guard: guard.ref,
      corpus: sources.map(sourceLabel),
      threshold: threshold ?? null,
      retain: retain ?? DEFAULT_RETENTION,
      nextAt: nextAt.toISOString(),
      createdAt: createdAt.toISOString(),
      webhookUrl: webhookUrl === null ? null : shownUrl(webhookUrl),
    };
  }
}
