import type { FiringCause, FiringState, RunState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { OPEN_STATES } from '../runs/open-states.js';
import { type Message, storeMessage } from './deliveries.js';

/** A firing, its schedule and its run. */
export interface FiringRow {
  id: number;
  scheduleId: number;
  schedule: string;
  request: unknown;
  webhookUrl: string | null;
  webhookClosed: string | null;
  dueAt: Date;
  cause: FiringCause;
  state: FiringState;
  runId: number | null;
  runState: RunState | null;
  /** Why the run has failed, or was cancelled by no person. */
  runReason: string | null;
  takes: number;
  startedAt: Date | null;
  finishedAt: Date | null;
  summary: unknown;
  reason: string | null;
}

const COLUMNS = `f.id, f.schedule_id as "scheduleId", s.name as schedule, s.request, s.webhook_url as "webhookUrl",
  s.webhook_closed as "webhookClosed", f.due_at as "dueAt", f.cause, f.state, f.run_id as "runId",
  r.state as "runState", r.reason as "runReason", f.takes, f.started_at as "startedAt", f.finished_at as "finishedAt", f.summary, f.reason`;
const FROM = 'from firings f join schedules s on s.id = f.schedule_id left join runs r on r.id = f.run_id';

/** A process that has not been heard of for so long has lost the firing that it submitted. */
const LOST_AFTER_SECONDS = 30;

/**
 * Takes a firing to submit it: one that is due, or one whose process is gone. The caller says now and then that it is
 * there (`attendFiring`).
 */
export async function takeFiring(pool: Pool): Promise<FiringRow | undefined> {
  const { rows } = await pool.query<{ id: number }>(
    `update firings set state = 'submitting', takes = takes + 1, seen_at = now(), started_at = coalesce(started_at, now())
     where id = (
       select id from firings
       where state = 'due'
          or (state = 'submitting' and seen_at < now() - make_interval(secs => $1))
       order by due_at limit 1 for update skip locked
     )
     returning id`,
    [LOST_AFTER_SECONDS],
  );
  const [taken] = rows;
  return taken === undefined ? undefined : firingOf(pool, taken.id);
}

/** A firing that this process has taken. */
export type TakenFiring = Pick<FiringRow, 'id' | 'takes'>;

/** The statements of a process that has lost its firing to another one change nothing. */
const STILL_TAKEN = `id = $1 and takes = $2 and state = 'submitting'`;

/** Says that the process that submits a firing is there. @returns false when the firing is not its own any more */
export async function attendFiring(pool: Pool, { id, takes }: TakenFiring): Promise<boolean> {
  const { rowCount } = await pool.query(`update firings set seen_at = now() where ${STILL_TAKEN}`, [
    id,
    takes,
  ]);
  return rowCount === 1;
}

/** Notes the run of a firing as soon as there is one: whoever takes the firing over finds it. */
export async function setFiringRun(pool: Pool, { id, takes }: TakenFiring, runId: number): Promise<void> {
  await pool.query(`update firings set run_id = $3 where ${STILL_TAKEN}`, [id, takes, runId]);
}

/** Moves a firing on that was submitted, or gives it back to be submitted by another process. */
export async function setFiringState(
  pool: Pool,
  { id, takes }: TakenFiring,
  state: 'due' | 'scoring',
): Promise<void> {
  await pool.query(`update firings set state = $3 where ${STILL_TAKEN}`, [id, takes, state]);
}

/** Firings whose runs are over, the oldest first. */
export async function endedFirings(pool: Pool): Promise<FiringRow[]> {
  const { rows } = await pool.query<FiringRow>(
    `select ${COLUMNS} ${FROM}
     where f.state = 'scoring' and (f.run_id is null or r.state not in ${OPEN_STATES})
     order by f.id`,
  );
  return rows;
}

/** How a firing ends. */
export interface FiringEnd {
  state: 'done' | 'failed';
  summary?: unknown;
  reason?: string;
  /** What the webhook is told. */
  message?: Message;
}

/**
 * Ends a firing and puts its message on the way, both or neither.
 * @returns false when another process has ended it, or taken it over
 */
export async function endFiring(pool: Pool, { id, takes }: TakenFiring, end: FiringEnd): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `update firings set state = $2, summary = $3, reason = $4, finished_at = now()
       where id = $1 and takes = $5 and state in ('submitting', 'scoring')`,
      [
        id,
        end.state,
        end.summary === undefined ? null : JSON.stringify(end.summary),
        end.reason ?? null,
        takes,
      ],
    );
    if (rowCount !== 1) return false;
    await storeMessage(client, id, end.message);
    return true;
  });
}

export async function firingOf(pool: Pool, firingId: number): Promise<FiringRow> {
  const { rows } = await pool.query<FiringRow>(`select ${COLUMNS} ${FROM} where f.id = $1`, [firingId]);
  const [firing] = rows;
  if (firing === undefined) throw new Error(`there is no firing ${firingId}`);
  return firing;
}

/** The newest firings of a schedule, newest first. */
export async function listFirings(pool: Pool, scheduleId: number, limit: number): Promise<FiringRow[]> {
  const { rows } = await pool.query<FiringRow>(
    `select ${COLUMNS} ${FROM} where f.schedule_id = $1 order by f.due_at desc limit $2`,
    [scheduleId, limit],
  );
  return rows;
}
