import type { DeliveryState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import type pg from 'pg';

/** What a webhook is told. */
export interface Message {
  /** The `webhook-id`: who receives it twice knows that it is the same. */
  id: string;
  body: string;
}

export interface DeliveryRow {
  id: string;
  firingId: number;
  scheduleId: number;
  schedule: string;
  state: DeliveryState;
  body: string;
  attempts: number;
  nextAt: Date;
  lastStatus: number | null;
  lastError: string | null;
  createdAt: Date;
  finishedAt: Date | null;
  webhookUrl: string | null;
  webhookSecretEnv: string | null;
  webhookClosed: string | null;
}

const COLUMNS = `d.id, d.firing_id as "firingId", s.id as "scheduleId", s.name as schedule, d.state, d.body,
  d.attempts, d.next_at as "nextAt", d.last_status as "lastStatus", d.last_error as "lastError",
  d.created_at as "createdAt", d.finished_at as "finishedAt", s.webhook_url as "webhookUrl",
  s.webhook_secret_env as "webhookSecretEnv", s.webhook_closed as "webhookClosed"`;
const FROM =
  'from deliveries d join firings f on f.id = d.firing_id join schedules s on s.id = f.schedule_id';

/** Puts a message on its way, as a part of the transaction that it tells of. */
export async function storeMessage(
  client: pg.PoolClient,
  firingId: number,
  message: Message | undefined,
): Promise<void> {
  if (message === undefined) return;
  await client.query('insert into deliveries (id, firing_id, body) values ($1, $2, $3)', [
    message.id,
    firingId,
    message.body,
  ]);
}

/**
 * Takes a delivery that is to be tried now, and counts the attempt. Nobody else takes it for `holdSeconds`; a process
 * that is killed over it has made an attempt, and after that time another process makes the next one.
 */
export async function takeDelivery(pool: Pool, holdSeconds: number): Promise<DeliveryRow | undefined> {
  const { rows } = await pool.query<{ id: string }>(
    `update deliveries set attempts = attempts + 1, next_at = now() + make_interval(secs => $1)
     where id = (
       select id from deliveries where state = 'pending' and next_at <= now()
       order by next_at limit 1 for update skip locked
     )
     returning id`,
    [holdSeconds],
  );
  const [taken] = rows;
  if (taken === undefined) return undefined;
  const found = await pool.query<DeliveryRow>(`select ${COLUMNS} ${FROM} where d.id = $1`, [taken.id]);
  return found.rows[0];
}

/** What an attempt came to. */
export interface Attempt {
  state: DeliveryState;
  status: number | null;
  /** Why it failed; null when it did not. */
  error: string | null;
  /** Until the next attempt, when it is pending. */
  waitSeconds?: number;
}

export async function noteAttempt(pool: Pool, id: string, attempt: Attempt): Promise<void> {
  await pool.query(
    `update deliveries
     set state = $2, last_status = $3, last_error = $4, next_at = now() + make_interval(secs => $5),
         finished_at = case when $2 = 'pending' then null else now() end
     where id = $1 and state = 'pending'`,
    [id, attempt.state, attempt.status, attempt.error, attempt.waitSeconds ?? 0],
  );
}

/** The newest deliveries of a schedule, newest first. */
export async function listDeliveries(pool: Pool, scheduleId: number, limit: number): Promise<DeliveryRow[]> {
  const { rows } = await pool.query<DeliveryRow>(
    `select ${COLUMNS} ${FROM} where s.id = $1 order by d.created_at desc, d.firing_id desc limit $2`,
    [scheduleId, limit],
  );
  return rows;
}
