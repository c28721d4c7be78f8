import { DELIVERY_STATES, FIRING_CAUSES, FIRING_STATES } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import { retention } from './runs.js';
import { handle, line, pageQuery, probability, serial, threshold, time } from './values.js';

export const schedule = z
  .object({
    name: z.string(),
    cron: z.string(),
    timeZone: z.string(),
    guard: z.string(),
    /** Sources of the corpus: files, directories, patterns, databases (without passwords). */
    corpus: z.array(z.string()),
    threshold: probability.nullable(),
    retain: retention,
    enabled: z.boolean(),
    nextAt: time,
    createdAt: time,
    /** Webhook URL for summaries, without its secret parts. */
    webhookUrl: z.string().nullable(),
    /** Why nothing is sent to the webhook any more. */
    webhookClosed: z.string().nullable(),
  })
  .meta({ id: 'Schedule' });
export type Schedule = z.infer<typeof schedule>;
export const scheduleList = z.object({
  data: z.array(schedule),
  /** Directories whose files may be scheduled through the API (`--corpus-root`). Empty: schedules cannot be created. */
  corpusRoots: z.array(z.string()),
});
export type ScheduleList = z.infer<typeof scheduleList>;
export const scheduleParams = z.strictObject({ name: handle });

export const newSchedule = z
  .strictObject({
    name: handle,
    /** Minute, hour, day of month, month, day of week. */
    cron: line(200),
    timeZone: line(100).default('UTC'),
    guard: z.string().max(500).optional(),
    /** Only paths inside the server's `--corpus-root` directories. */
    corpus: z.array(line(4_096).min(1)).min(1).max(100),
    threshold: threshold.optional(),
    retain: retention.optional(),
    webhookUrl: line(2_000).optional(),
    /** The environment variable of the scheduler that holds the webhook's secret. */
    webhookSecretEnv: line(100).optional(),
  })
  .meta({ id: 'NewSchedule' });
export type NewSchedule = z.input<typeof newSchedule>;
export const schedulePatch = z.strictObject({ enabled: z.boolean() }).meta({ id: 'SchedulePatch' });

const firing = z
  .object({
    id: serial,
    dueAt: time,
    cause: z.enum(FIRING_CAUSES),
    state: z.enum(FIRING_STATES),
    run: serial.nullable(),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    /** Summary of the firing, in numbers. */
    summary: z.unknown(),
    /** Why it was skipped or failed. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'Firing' });
export const limitQuery = z.strictObject({ limit: pageQuery.limit });
/** The latest firings, newest first. */
export const firingList = z.object({ data: z.array(firing) });
export type FiringList = z.infer<typeof firingList>;
export const firedNow = z.object({ firing: serial, dueAt: time });
export type FiredNow = z.infer<typeof firedNow>;

const delivery = z
  .object({
    id: z.string(),
    firing: serial,
    state: z.enum(DELIVERY_STATES),
    attempts: z.number().int(),
    nextAt: time,
    lastStatus: z.number().int().nullable(),
    lastError: z.string().nullable(),
    createdAt: time,
    finishedAt: time.nullable(),
    /** The payload: numbers only. */
    body: z.unknown(),
  })
  .meta({ id: 'Delivery' });
export const deliveryList = z.object({ data: z.array(delivery) });
export type DeliveryList = z.infer<typeof deliveryList>;
export const testedWebhook = z
  .object({
    delivered: z.boolean(),
    status: z.number().int().nullable(),
    /** Why it was not delivered. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'TestedWebhook' });
export type TestedWebhook = z.infer<typeof testedWebhook>;
