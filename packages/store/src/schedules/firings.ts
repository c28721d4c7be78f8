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
    /** Why the run has failed, or was cancelled by no person. */
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

/** A process that has not been heard of for so long has lost the firing that it submitted. */
const LOST_AFTER_SECONDS = 30;

/**
 * Takes a firing to submit it: one that is due, or one whose process is gone. The caller says now and then that it is
 * there (`attendFiring`).
 */
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

/** A firing that this process has taken. */
export type FiringClaim = Pick<FiringRow, 'id' | 'takes'>;

/** The statements of a process that has lost its firing to another one change nothing. @returns rows changed */
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

/** Says that the process that submits a firing is there. @returns false when the firing is not its own any more */
export async function attendFiring(pool: Pool, taken: FiringClaim): Promise<boolean> {
  return (await updateTaken(pool, taken, { seenAt: sql`now()` })) === 1;
}

/** Notes the run of a firing as soon as there is one: whoever takes the firing over finds it. */
export async function setFiringRun(pool: Pool, taken: FiringClaim, runId: number): Promise<void> {
  await updateTaken(pool, taken, { runId });
}

/** Moves a firing on that was submitted, or gives it back to be submitted by another process. */
export async function setFiringState(
  pool: Pool,
  taken: FiringClaim,
  state: 'due' | 'scoring',
): Promise<void> {
  await updateTaken(pool, taken, { state });
}

/** Firings whose runs are over, the oldest first. */
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

/** The newest firings of a schedule, newest first. */
export function listFirings(pool: Pool, scheduleId: number, limit: number): Promise<FiringRow[]> {
  return runQuery(pool, (db) =>
    selectFirings(db).where(eq(firings.scheduleId, scheduleId)).orderBy(desc(firings.dueAt)).limit(limit),
  );
}

/**
 * The run that a schedule's run is compared with: the last one before it that came to its end and whose rows are still
 * there.
 */
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

/** Contents that a run has flagged and that no row of the run before it had: how many. */
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

/** How many rows of two runs have a score. */
export interface ScoreCount {
  score: number;
  before: number;
  now: number;
}

const FETCH_ROWS = 10_000;

/**
 * Every score that a row of either run has, ascending, with the number of rows; a page at a time. Memory does not grow
 * with the runs.
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
