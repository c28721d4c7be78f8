import { type FiringCause, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import type pg from 'pg';
import { type Message, storeMessage } from './deliveries.js';
import { noSuchSchedule } from './schedules.js';

/** A schedule that comes due. */
export interface DueSchedule {
  id: number;
  name: string;
  cron: string;
  timeZone: string;
  webhookUrl: string | null;
  webhookClosed: string | null;
}

/** A time at which a schedule came due. */
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
  /** What the webhook is told of a firing that is skipped. */
  message: (firing: ClaimedFiring) => Message | undefined;
}

/** A queue's clock may be ahead of the database's by so much. */
const EARLY_SECONDS = 1;
/** Firings of a schedule that are remembered, with their summaries and deliveries. */
const KEPT_FIRINGS = 1_000;
const SELECT = `select id, name, cron, time_zone as "timeZone", webhook_url as "webhookUrl",
  webhook_closed as "webhookClosed", next_at as "nextAt", now() as now from schedules`;

type LockedSchedule = DueSchedule & { nextAt: Date; now: Date };

/**
 * Makes a firing of every schedule that is due. However many processes ask, each time becomes one: the schedule's row is
 * locked, and its next time lies ahead when the lock is given back. Of several times that were missed, the first is made
 * up and the others are passed over.
 */
export async function claimFirings(pool: Pool, options: ClaimOptions): Promise<ClaimedFiring[]> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<LockedSchedule>(
      `${SELECT} where enabled and next_at <= now() + make_interval(secs => $1)
       order by id for update skip locked`,
      [EARLY_SECONDS],
    );
    const claimed: ClaimedFiring[] = [];
    for (const { nextAt, now, ...schedule } of rows) {
      claimed.push(await insertFiring(client, schedule, nextAt, 'time', options));
      const next = options.nextAfter(schedule, nextAt > now ? nextAt : now);
      await client.query('update schedules set next_at = $2 where id = $1', [schedule.id, next]);
      await forgetFirings(client, schedule.id);
    }
    return claimed;
  });
}

/**
 * Makes a firing of a schedule now, whatever its times, paused or not.
 * @throws UserError when there is no such schedule, or its last firing is still going
 */
export async function fireNow(pool: Pool, name: string): Promise<ClaimedFiring> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<LockedSchedule>(`${SELECT} where name = $1 for update`, [name]);
    const [found] = rows;
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
  const { rows } = await client.query<{ id: number }>(
    `insert into firings (schedule_id, due_at, cause, state, reason, finished_at)
     values ($1, $2, $3, $4, $5, case when $4 = 'skipped' then now() end) returning id`,
    [schedule.id, dueAt, cause, skipped === null ? 'due' : 'skipped', skipped],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no row');
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

/** What a schedule is at, for people; undefined when it is at nothing. */
async function goingFiring(client: pg.PoolClient, scheduleId: number): Promise<string | undefined> {
  const { rows } = await client.query<{ state: string; dueAt: Date; runId: number | null }>(
    `select state, due_at as "dueAt", run_id as "runId" from firings
     where schedule_id = $1 and state in ('due', 'submitting', 'scoring')`,
    [scheduleId],
  );
  const [firing] = rows;
  if (firing === undefined) return undefined;
  const run = firing.runId === null ? '' : `, run ${firing.runId}`;
  return `due ${firing.dueAt.toISOString()}, ${firing.state}${run}`;
}
