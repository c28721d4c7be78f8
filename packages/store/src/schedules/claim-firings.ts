import { type FiringCause, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { and, eq, inArray, lte, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { firings, schedules } from '../schema/pipeline.js';
import { inserted, runQuery } from '../schema/run-query.js';
import { type Message, storeMessage } from './deliveries.js';
import { noSuchSchedule } from './schedules.js';

/** A schedule that is due. */
export type DueSchedule = Pick<
  typeof schedules.$inferSelect,
  'id' | 'name' | 'cron' | 'timeZone' | 'webhookUrl' | 'webhookClosed'
>;

/** A due time of a schedule. */
export interface ClaimedFiring {
  id: number;
  schedule: DueSchedule;
  dueAt: Date;
  cause: FiringCause;
  /** Why it is skipped; null when it is to be submitted. */
  skipped: string | null;
}

export interface ClaimOptions {
  /** The first time of a schedule after `date`. */
  nextAfter: (schedule: DueSchedule, date: Date) => Date;
  /** The webhook message about a skipped firing. */
  message: (firing: ClaimedFiring) => Message | undefined;
}

/** Tolerated difference between a queue's clock and the database's. */
const EARLY_SECONDS = 1;
/** Firings kept per schedule, with their summaries and deliveries. */
const KEPT_FIRINGS = 1_000;

const selectSchedules = (db: NodePgDatabase) => {
  const { id, name, cron, timeZone, webhookUrl, webhookClosed, nextAt } = schedules;
  const now = sql`now()`.mapWith(nextAt);
  return db.select({ id, name, cron, timeZone, webhookUrl, webhookClosed, nextAt, now }).from(schedules);
};

/**
 * Creates a firing for every due schedule. Concurrent callers create one firing per time: the schedule's row is locked,
 * and its next time is in the future when the lock is released. Of several missed times only the first fires.
 */
export async function claimFirings(pool: Pool, options: ClaimOptions): Promise<ClaimedFiring[]> {
  return inTransaction(pool, async (client) => {
    const soon = sql`now() + make_interval(secs => ${EARLY_SECONDS})`;
    const rows = await runQuery(client, (db) =>
      selectSchedules(db)
        .where(and(schedules.enabled, lte(schedules.nextAt, soon)))
        .orderBy(schedules.id)
        .for('update', { skipLocked: true }),
    );
    const claimed: ClaimedFiring[] = [];
    for (const { nextAt, now, ...schedule } of rows) {
      claimed.push(await insertFiring(client, schedule, nextAt, 'time', options));
      const next = options.nextAfter(schedule, nextAt > now ? nextAt : now);
      await runQuery(client, (db) =>
        db.update(schedules).set({ nextAt: next }).where(eq(schedules.id, schedule.id)),
      );
      await forgetFirings(client, schedule.id);
    }
    return claimed;
  });
}

/**
 * Creates a firing of a schedule now, even when it is paused.
 * @throws UserError when the schedule does not exist, or its last firing is still in progress
 */
export async function fireNow(pool: Pool, name: string): Promise<ClaimedFiring> {
  return inTransaction(pool, async (client) => {
    const [found] = await runQuery(client, (db) =>
      selectSchedules(db).where(eq(schedules.name, name)).for('update'),
    );
    if (found === undefined) throw noSuchSchedule(name);
    const { nextAt: _, now, ...schedule } = found;
    const going = await goingFiring(client, schedule.id);
    if (going !== undefined) {
      throw new UserError(`${name} is still going: ${going}`, {
        hint: `Wait for it (tocsin schedule show ${name}), or cancel its run.`,
      });
    }
    return insertFiring(client, schedule, now, 'hand', { message: () => undefined });
  });
}

async function insertFiring(
  client: pg.PoolClient,
  schedule: DueSchedule,
  dueAt: Date,
  cause: FiringCause,
  { message }: Pick<ClaimOptions, 'message'>,
): Promise<ClaimedFiring> {
  const going = await goingFiring(client, schedule.id);
  const skipped = going === undefined ? null : `the last one is still going: ${going}`;
  const values = {
    scheduleId: schedule.id,
    dueAt,
    cause,
    ...(skipped === null
      ? { state: 'due' as const }
      : { state: 'skipped' as const, reason: skipped, finishedAt: sql`now()` }),
  };
  const row = inserted(
    await runQuery(client, (db) => db.insert(firings).values(values).returning({ id: firings.id })),
  );
  const firing: ClaimedFiring = { id: row.id, schedule, dueAt, cause, skipped };
  if (skipped !== null) await storeMessage(client, firing.id, message(firing));
  return firing;
}

async function forgetFirings(client: pg.PoolClient, scheduleId: number): Promise<void> {
  await client.query(
    `delete from firings f
     where schedule_id = $1 and finished_at is not null
       and due_at < (select due_at from firings where schedule_id = $1 order by due_at desc offset $2 limit 1)
       and not exists (select from deliveries d where d.firing_id = f.id and d.state = 'pending')`,
    [scheduleId, KEPT_FIRINGS - 1],
  );
}

/** The current activity of a schedule, for messages; undefined when idle. */
async function goingFiring(client: pg.PoolClient, scheduleId: number): Promise<string | undefined> {
  const [firing] = await runQuery(client, (db) =>
    db
      .select({ state: firings.state, dueAt: firings.dueAt, runId: firings.runId })
      .from(firings)
      .where(
        and(eq(firings.scheduleId, scheduleId), inArray(firings.state, ['due', 'submitting', 'scoring'])),
      ),
  );
  if (firing === undefined) return undefined;
  const run = firing.runId === null ? '' : `, run ${firing.runId}`;
  return `due ${firing.dueAt.toISOString()}, ${firing.state}${run}`;
}
