import { codeOf, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { eq, sql } from 'drizzle-orm';
import { installation, schedules } from '../schema/pipeline.js';
import { inserted, runQuery } from '../schema/run-query.js';

/** The destination of a schedule's summaries. */
export interface Webhook {
  url: string;
  /** The environment variable with the secret. */
  secretEnv: string;
}

export type ScheduleRow = typeof schedules.$inferSelect;

export interface NewSchedule extends Pick<ScheduleRow, 'name' | 'cron' | 'timeZone' | 'request' | 'nextAt'> {
  webhook?: Webhook;
}

const UNIQUE_VIOLATION = '23505';

/** @throws UserError when the name is taken */
export async function addSchedule(pool: Pool, { webhook, ...schedule }: NewSchedule): Promise<ScheduleRow> {
  const values = { ...schedule, webhookUrl: webhook?.url, webhookSecretEnv: webhook?.secretEnv };
  try {
    return inserted(await runQuery(pool, (db) => db.insert(schedules).values(values).returning()));
  } catch (cause) {
    if (codeOf(cause) !== UNIQUE_VIOLATION) throw cause;
    const { name } = schedule;
    throw new UserError(`there is a schedule named ${name} already`, {
      hint: `See it: tocsin schedule show ${name}. To change it, remove it and add it again.`,
      cause,
    });
  }
}

/** All schedules, by name. */
export function listSchedules(pool: Pool): Promise<ScheduleRow[]> {
  return runQuery(pool, (db) => db.select().from(schedules).orderBy(schedules.name));
}

/** @throws UserError when it does not exist */
export async function getSchedule(pool: Pool, name: string): Promise<ScheduleRow> {
  const [schedule] = await runQuery(pool, (db) =>
    db.select().from(schedules).where(eq(schedules.name, name)),
  );
  if (schedule === undefined) throw noSuchSchedule(name);
  return schedule;
}

/** Removes a schedule and its firings; its runs stay. @throws UserError when it does not exist */
export async function removeSchedule(pool: Pool, name: string): Promise<void> {
  const { rowCount } = await runQuery(pool, (db) => db.delete(schedules).where(eq(schedules.name, name)));
  if (rowCount === 0) throw noSuchSchedule(name);
}

export async function pauseSchedule(pool: Pool, name: string): Promise<void> {
  const { rowCount } = await runQuery(pool, (db) =>
    db.update(schedules).set({ enabled: false }).where(eq(schedules.name, name)),
  );
  if (rowCount === 0) throw noSuchSchedule(name);
}

/** Resumes a schedule from `nextAt` on, and reopens its webhook. */
export async function resumeSchedule(pool: Pool, name: string, nextAt: Date): Promise<void> {
  // A schedule that is not paused keeps a missed time, which still has to fire.
  const next = sql`case when ${schedules.enabled} then ${schedules.nextAt} else ${sql.param(nextAt, schedules.nextAt)} end`;
  const { rowCount } = await runQuery(pool, (db) =>
    db
      .update(schedules)
      .set({ nextAt: next, enabled: true, webhookClosed: null })
      .where(eq(schedules.name, name)),
  );
  if (rowCount === 0) throw noSuchSchedule(name);
}

/** Closes a schedule's webhook. */
export async function closeWebhook(pool: Pool, scheduleId: number, reason: string): Promise<void> {
  await runQuery(pool, (db) =>
    db.update(schedules).set({ webhookClosed: reason }).where(eq(schedules.id, scheduleId)),
  );
}

export function noSuchSchedule(name: string): UserError {
  return new UserError(`there is no schedule named ${name}`, { hint: 'See them all: tocsin schedule list' });
}

/** This database's name on a shared Redis server, generated at the first call. */
export async function installationId(pool: Pool): Promise<string> {
  const rows = await runQuery(pool, (db) =>
    db
      .insert(installation)
      .values({ only: true })
      .onConflictDoUpdate({ target: installation.only, set: { only: true } })
      .returning({ id: installation.id }),
  );
  return inserted(rows).id;
}
