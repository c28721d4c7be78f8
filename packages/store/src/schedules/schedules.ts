import { codeOf, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** Where a schedule's summaries go. */
export interface Webhook {
  url: string;
  /** The environment variable that holds the secret. */
  secretEnv: string;
}

export interface NewSchedule {
  name: string;
  cron: string;
  timeZone: string;
  /** What is submitted, and how: JSON that this package does not look into. */
  request: unknown;
  webhook?: Webhook;
  nextAt: Date;
}

export interface ScheduleRow extends Omit<NewSchedule, 'webhook'> {
  id: number;
  webhookUrl: string | null;
  webhookSecretEnv: string | null;
  /** Why nothing is sent to the webhook any more. */
  webhookClosed: string | null;
  enabled: boolean;
  createdAt: Date;
}

const COLUMNS = `id, name, cron, time_zone as "timeZone", request, webhook_url as "webhookUrl",
  webhook_secret_env as "webhookSecretEnv", webhook_closed as "webhookClosed", enabled,
  next_at as "nextAt", created_at as "createdAt"`;
const UNIQUE_VIOLATION = '23505';

/** @throws UserError when there is a schedule of that name */
export async function addSchedule(pool: Pool, schedule: NewSchedule): Promise<ScheduleRow> {
  const { name, cron, timeZone, request, webhook, nextAt } = schedule;
  try {
    const { rows } = await pool.query<ScheduleRow>(
      `insert into schedules (name, cron, time_zone, request, webhook_url, webhook_secret_env, next_at)
       values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
      [
        name,
        cron,
        timeZone,
        JSON.stringify(request),
        webhook?.url ?? null,
        webhook?.secretEnv ?? null,
        nextAt,
      ],
    );
    return found(rows[0], name);
  } catch (cause) {
    if (codeOf(cause) !== UNIQUE_VIOLATION) throw cause;
    throw new UserError(`there is a schedule named ${name} already`, {
      hint: `See it: tocsin schedule show ${name}. To change it, remove it and add it again.`,
      cause,
    });
  }
}

/** All of them, by name. */
export async function listSchedules(pool: Pool): Promise<ScheduleRow[]> {
  const { rows } = await pool.query<ScheduleRow>(`select ${COLUMNS} from schedules order by name`);
  return rows;
}

/** @throws UserError when there is no such schedule */
export async function getSchedule(pool: Pool, name: string): Promise<ScheduleRow> {
  const { rows } = await pool.query<ScheduleRow>(`select ${COLUMNS} from schedules where name = $1`, [name]);
  return found(rows[0], name);
}

/** Removes a schedule and what is known of its firings; its runs stay. @throws UserError when there is none */
export async function removeSchedule(pool: Pool, name: string): Promise<void> {
  const { rowCount } = await pool.query('delete from schedules where name = $1', [name]);
  if (rowCount === 0) throw noSuchSchedule(name);
}

export async function pauseSchedule(pool: Pool, name: string): Promise<void> {
  const { rowCount } = await pool.query('update schedules set enabled = false where name = $1', [name]);
  if (rowCount === 0) throw noSuchSchedule(name);
}

/** Lets a schedule come due again, from `nextAt` on; a webhook that was closed is open again. */
export async function resumeSchedule(pool: Pool, name: string, nextAt: Date): Promise<void> {
  const { rowCount } = await pool.query(
    // One that is not paused keeps a time that it has missed: that is still to be made up.
    `update schedules
     set next_at = case when enabled then next_at else $2 end, enabled = true, webhook_closed = null
     where name = $1`,
    [name, nextAt],
  );
  if (rowCount === 0) throw noSuchSchedule(name);
}

/** Sends nothing to a schedule's webhook any more. */
export async function closeWebhook(pool: Pool, scheduleId: number, reason: string): Promise<void> {
  await pool.query('update schedules set webhook_closed = $2 where id = $1', [scheduleId, reason]);
}

function found(row: ScheduleRow | undefined, name: string): ScheduleRow {
  if (row === undefined) throw noSuchSchedule(name);
  return row;
}

export function noSuchSchedule(name: string): UserError {
  return new UserError(`there is no schedule named ${name}`, { hint: 'See them all: tocsin schedule list' });
}
