import type { DeliveryState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, lte, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { deliveries, firings, schedules } from '../schema/pipeline.js';
import { runQuery } from '../schema/run-query.js';

/** What a webhook is told. */
export interface Message {
  /** The `webhook-id`: who receives it twice knows that it is the same. */
  id: string;
  body: string;
}

type DeliveryRecord = typeof deliveries.$inferSelect;
type ScheduleRecord = typeof schedules.$inferSelect;
/** A delivery, and where it goes. */
export type DeliveryRow = DeliveryRecord &
  Pick<ScheduleRecord, 'webhookUrl' | 'webhookSecretEnv' | 'webhookClosed'> & {
    scheduleId: number;
    schedule: string;
  };

const selectDeliveries = (db: NodePgDatabase) =>
  db
    .select({
      ...getTableColumns(deliveries),
      scheduleId: schedules.id,
      schedule: schedules.name,
      webhookUrl: schedules.webhookUrl,
      webhookSecretEnv: schedules.webhookSecretEnv,
      webhookClosed: schedules.webhookClosed,
    })
    .from(deliveries)
    .innerJoin(firings, eq(firings.id, deliveries.firingId))
    .innerJoin(schedules, eq(schedules.id, firings.scheduleId));

/** Puts a message on its way, as a part of the transaction that it tells of. */
export async function storeMessage(
  client: pg.PoolClient,
  firingId: number,
  message: Message | undefined,
): Promise<void> {
  if (message === undefined) return;
  await runQuery(client, (db) => db.insert(deliveries).values({ ...message, firingId }));
}

/**
 * Takes a delivery that is to be tried now, and counts the attempt. Nobody else takes it for `holdSeconds`; a process
 * that is killed over it has made an attempt, and after that time another process makes the next one.
 */
export async function takeDelivery(pool: Pool, holdSeconds: number): Promise<DeliveryRow | undefined> {
  const [taken] = await runQuery(pool, (db) => {
    const due = db
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(and(eq(deliveries.state, 'pending'), lte(deliveries.nextAt, sql`now()`)))
      .orderBy(deliveries.nextAt)
      .limit(1)
      .for('update', { skipLocked: true });
    return db
      .update(deliveries)
      .set({
        attempts: sql`${deliveries.attempts} + 1`,
        nextAt: sql`now() + make_interval(secs => ${holdSeconds})`,
      })
      .where(eq(deliveries.id, due))
      .returning({ id: deliveries.id });
  });
  if (taken === undefined) return undefined;
  const [delivery] = await runQuery(pool, (db) => selectDeliveries(db).where(eq(deliveries.id, taken.id)));
  return delivery;
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
  await runQuery(pool, (db) =>
    db
      .update(deliveries)
      .set({
        state: attempt.state,
        lastStatus: attempt.status,
        lastError: attempt.error,
        nextAt: sql`now() + make_interval(secs => ${attempt.waitSeconds ?? 0})`,
        finishedAt: attempt.state === 'pending' ? null : sql`now()`,
      })
      .where(and(eq(deliveries.id, id), eq(deliveries.state, 'pending'))),
  );
}

/** The newest deliveries of a schedule, newest first. */
export function listDeliveries(pool: Pool, scheduleId: number, limit: number): Promise<DeliveryRow[]> {
  return runQuery(pool, (db) =>
    selectDeliveries(db)
      .where(eq(schedules.id, scheduleId))
      .orderBy(desc(deliveries.createdAt), desc(deliveries.firingId))
      .limit(limit),
  );
}
