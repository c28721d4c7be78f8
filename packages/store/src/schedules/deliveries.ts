import type { DeliveryState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, lte, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { deliveries, firings, schedules } from '../schema/pipeline.js';
import { runQuery } from '../schema/run-query.js';

/** A webhook message. */
export interface Message {
  /** The `webhook-id`, for deduplication by the receiver. */
  id: string;
  body: string;
}

type DeliveryRecord = typeof deliveries.$inferSelect;
type ScheduleRecord = typeof schedules.$inferSelect;
/** A delivery and its destination. */
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

/** Enqueues a message within the transaction of its event. */
export async function storeMessage(
  client: pg.PoolClient,
  firingId: number,
  message: Message | undefined,
): Promise<void> {
  if (message === undefined) return;
  await runQuery(client, (db) => db.insert(deliveries).values({ ...message, firingId }));
}

/**
 * Claims a due delivery for `holdSeconds`, and counts the attempt. If this process dies, another makes the next attempt
 * after that time.
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

/** The outcome of an attempt. */
export interface Attempt {
  state: DeliveryState;
  status: number | null;
  /** Why it failed; null on success. */
  error: string | null;
  /** Seconds until the next attempt, when pending. */
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

/** The latest deliveries of a schedule, newest first. */
export function listDeliveries(pool: Pool, scheduleId: number, limit: number): Promise<DeliveryRow[]> {
  return runQuery(pool, (db) =>
    selectDeliveries(db)
      .where(eq(schedules.id, scheduleId))
      .orderBy(desc(deliveries.createdAt), desc(deliveries.firingId))
      .limit(limit),
  );
}
