import { type FiringState, OPEN_RUN_STATES, type RunState } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, inArray, isNull, lt, notInArray, or, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { firings, runs, schedules } from '../schema/pipeline.js';
import { runQuery } from '../schema/run-query.js';
import { type Message, storeMessage } from './deliveries.js';

type FiringRecord = Omit<typeof firings.$inferSelect, 'seenAt'>;
type ScheduleRecord = typeof schedules.$inferSelect;
/** A firing, its schedule and its run. */
export type FiringRow = FiringRecord &
  Pick<ScheduleRecord, 'request' | 'webhookUrl' | 'webhookClosed'> & {
    schedule: string;
    runState: RunState | null;
    /** Why the run failed, or what cancelled it if not a person. */
    runReason: string | null;
  };

const { seenAt, ...FIRING } = getTableColumns(firings);

const selectFirings = (db: NodePgDatabase) =>
  db
    .select({
      ...FIRING,
      schedule: schedules.name,
      request: schedules.request,
      webhookUrl: schedules.webhookUrl,
      webhookClosed: schedules.webhookClosed,
      runState: runs.state,
      runReason: runs.reason,
    })
    .from(firings)
    .innerJoin(schedules, eq(schedules.id, firings.scheduleId))
    .leftJoin(runs, eq(runs.id, firings.runId));

/** A process without a heartbeat for this long has lost its firing. */
const LOST_AFTER_SECONDS = 30;

/** Claims a firing to submit: a due one, or one of a dead process. The caller must send heartbeats (`attendFiring`). */
export async function takeFiring(pool: Pool): Promise<FiringRow | undefined> {
  const [taken] = await runQuery(pool, (db) => {
    const lost = lt(seenAt, sql`now() - make_interval(secs => ${LOST_AFTER_SECONDS})`);
    const next = db
      .select({ id: firings.id })
      .from(firings)
      .where(or(eq(firings.state, 'due'), and(eq(firings.state, 'submitting'), lost)))
      .orderBy(firings.dueAt)
      .limit(1)
      .for('update', { skipLocked: true });
    return db
      .update(firings)
      .set({
        state: 'submitting',
        takes: sql`${firings.takes} + 1`,
        seenAt: sql`now()`,
        startedAt: sql`coalesce(${firings.startedAt}, now())`,
      })
      .where(eq(firings.id, next))
      .returning({ id: firings.id });
  });
  return taken === undefined ? undefined : firingOf(pool, taken.id);
}

/** A claim on a firing. */
export type FiringClaim = Pick<FiringRow, 'id' | 'takes'>;

/** Guards statements of a process that has lost its firing. @returns rows changed */
async function updateTaken(
  pool: Pool | pg.PoolClient,
  { id, takes }: FiringClaim,
  set: PgUpdateSetSource<typeof firings>,
  from: FiringState[] = ['submitting'],
): Promise<number> {
  const stillTaken = and(eq(firings.id, id), eq(firings.takes, takes), inArray(firings.state, from));
  const { rowCount } = await runQuery(pool, (db) => db.update(firings).set(set).where(stillTaken));
  return rowCount ?? 0;
}

/** Sends a heartbeat for a claimed firing. @returns false when another process has claimed it */
export async function attendFiring(pool: Pool, taken: FiringClaim): Promise<boolean> {
  return (await updateTaken(pool, taken, { seenAt: sql`now()` })) === 1;
}

/** Records the run of a firing immediately, so that a later owner finds it. */
export async function setFiringRun(pool: Pool, taken: FiringClaim, runId: number): Promise<void> {
  await updateTaken(pool, taken, { runId });
}

/** Marks a firing as submitted, or releases it to another process. */
export async function setFiringState(
  pool: Pool,
  taken: FiringClaim,
  state: 'due' | 'scoring',
): Promise<void> {
  await updateTaken(pool, taken, { state });
}

/** Firings whose runs have ended, oldest first. */
export function endedFirings(pool: Pool): Promise<FiringRow[]> {
  return runQuery(pool, (db) =>
    selectFirings(db)
      .where(
        and(
          eq(firings.state, 'scoring'),
          or(isNull(firings.runId), notInArray(runs.state, [...OPEN_RUN_STATES])),
        ),
      )
      .orderBy(firings.id),
  );
}

/** The outcome of a firing. */
export interface FiringEnd {
  state: 'done' | 'failed';
  summary?: unknown;
  reason?: string;
  /** The webhook message. */
  message?: Message;
}

/**
 * Ends a firing and enqueues its message, in one transaction.
 * @returns false when another process has ended or claimed it
 */
export function endFiring(pool: Pool, taken: FiringClaim, end: FiringEnd): Promise<boolean> {
  const { message, summary = null, reason = null, state } = end;
  return inTransaction(pool, async (client) => {
    const set = { state, summary, reason, finishedAt: sql`now()` };
    if ((await updateTaken(client, taken, set, ['submitting', 'scoring'])) !== 1) return false;
    await storeMessage(client, taken.id, message);
    return true;
  });
}

export async function firingOf(pool: Pool, firingId: number): Promise<FiringRow> {
  const [firing] = await runQuery(pool, (db) => selectFirings(db).where(eq(firings.id, firingId)));
  if (firing === undefined) throw new Error(`there is no firing ${firingId}`);
  return firing;
}

/** The latest firings of a schedule, newest first. */
export function listFirings(pool: Pool, scheduleId: number, limit: number): Promise<FiringRow[]> {
  return runQuery(pool, (db) =>
    selectFirings(db).where(eq(firings.scheduleId, scheduleId)).orderBy(desc(firings.dueAt)).limit(limit),
  );
}

/** The previous run of a schedule to compare with: the last finished one whose rows still exist. */
export async function runBefore(pool: Pool, scheduleId: number, runId: number): Promise<number | undefined> {
  const { rows } = await pool.query<{ id: number }>(
    `select r.id from firings f join runs r on r.id = f.run_id
     where f.schedule_id = $1 and f.state = 'done' and r.id < $2
       and exists (select from items where items.run_id = r.id)
     order by r.id desc limit 1`,
    [scheduleId, runId],
  );
  return rows[0]?.id;
}

/** The number of flagged contents in a run that are not in the previous run. */
export async function newFlagged(pool: Pool, runId: number, before: number | undefined): Promise<number> {
  const { rows } = await pool.query<{ contents: number }>(
    `select count(*) as contents
     from (select distinct i.content
           from runs r join items i on i.run_id = r.id
           join lateral (select score from scores
                         where guard_id = r.guard_id and content = i.content limit 1) s on true
           where r.id = $1 and s.score >= r.threshold) flagged
     where not exists (select from items old where old.run_id = $2 and old.content = flagged.content)`,
    [runId, before ?? null],
  );
  return rows[0]?.contents ?? 0;
}

/** The number of rows with a score in two runs. */
export interface ScoreCount {
  score: number;
  before: number;
  now: number;
}

const FETCH_ROWS = 10_000;

/**
 * Every distinct score of both runs, ascending, with row counts; a page at a time, in constant memory.
 * @param before undefined for none: its counts are 0
 */
export async function eachScore(
  pool: Pool,
  { now, before }: { now: number; before: number | undefined },
  take: (page: ScoreCount[]) => void,
): Promise<void> {
  await inTransaction(pool, async (client: pg.PoolClient) => {
    await client.query(
      `declare score_counts no scroll cursor for
       select s.score, count(*) filter (where r.id is distinct from $1::bigint) as before,
              count(*) filter (where r.id = $1::bigint) as now
       from runs r join items i on i.run_id = r.id
       join lateral (select score from scores
                     where guard_id = r.guard_id and content = i.content limit 1) s on true
       where r.id in ($1::bigint, $2::bigint) and s.score is not null
       group by s.score order by s.score`,
      [now, before ?? null],
    );
    for (;;) {
      const { rows } = await client.query<ScoreCount>(`fetch ${FETCH_ROWS} from score_counts`);
      if (rows.length === 0) return;
      take(rows);
    }
  });
}
