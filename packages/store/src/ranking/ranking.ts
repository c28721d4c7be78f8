import { inTransaction, lockKey, type Pool } from '@tocsin/postgres';
import type pg from 'pg';
import { noSuchRun } from '../runs/retry-run.js';
import { OPEN_STATES } from '../runs/run-progress.js';

/** Metadata of a run's ranking. */
export interface Ranking {
  runId: number;
  /** Rows scored later are not included. */
  asOf: Date;
  /** The ranking is final: the run has ended, and each readable row has a score. */
  final: boolean;
  /** Rows with a score. */
  scored: number;
  /** Rows whose content has an error. */
  failed: number;
}

/** A ranking that is not final is rebuilt after this time, and after this multiple of its build time. */
const AGE = { going: { seconds: 3, builds: 10 }, over: { seconds: 10, builds: 100 } };

/**
 * The ranking of a run, rebuilt if missing or outdated. Everything else in this folder reads the stored ranking, so call
 * this first. While another process rebuilds it, the old one is returned.
 * @throws UserError when the run does not exist
 */
export async function rankRun(pool: Pool, runId: number): Promise<Ranking> {
  const found = await look(pool, runId);
  if (found.ranking !== undefined && !found.old) return found.ranking;
  await buildRanking(pool, runId, found.ranking === undefined ? 'wait' : 'leave', async (client) => {
    const { ranking, old } = await look(client, runId);
    return ranking === undefined || old;
  });
  const { ranking } = await look(pool, runId);
  // The run was deleted meanwhile.
  if (ranking === undefined) throw noSuchRun(runId);
  return ranking;
}

/** @throws UserError when the run does not exist */
async function look(
  pool: Pick<Pool, 'query'>,
  runId: number,
): Promise<{ ranking: Ranking | undefined; old: boolean }> {
  // SQL: runs for every view of a run; one row by key, with the facts that outdate it.
  const { rows } = await pool.query<Omit<Ranking, 'asOf'> & { asOf: Date | null; old: boolean }>(
    `select r.id as "runId", k.built_at as "asOf", k.final, k.scored, k.failed,
            not k.final and (
              r.finished_at >= k.built_at
              or case when r.finished_at is null
                      then now() - k.built_at > greatest($2, $3 * k.built_in_ms / 1000.0) * interval '1 second'
                      else now() - k.built_at > greatest($4, $5 * k.built_in_ms / 1000.0) * interval '1 second' end
            ) as old
     from runs r left join run_rankings k on k.run_id = r.id where r.id = $1`,
    [runId, AGE.going.seconds, AGE.going.builds, AGE.over.seconds, AGE.over.builds],
  );
  const [row] = rows;
  if (row === undefined) throw noSuchRun(runId);
  const { old, asOf, ...rest } = row;
  return asOf === null
    ? { ranking: undefined, old: true }
    : { ranking: { ...rest, asOf }, old: old === true };
}

const RANKING_LOCK = lockKey('ranking', '$1');
/**
 * Rows per chunk: the unit of reading for a page, or the edge of a count. Fills two of the 1,996-byte TOAST pieces into
 * which Postgres cuts an array: 24 bytes, and 4 per row.
 */
export const CHUNK_ROWS = 992;

/**
 * Sorts a run's scored rows and replaces its chunks. One process builds at a time.
 * @param patience `wait` for another process that is building; `leave` returns without building
 * @param needed called under the lock: whether a build is still necessary
 */
function buildRanking(
  pool: Pool,
  runId: number,
  patience: 'wait' | 'leave',
  needed: (client: pg.PoolClient) => Promise<boolean>,
): Promise<void> {
  return inTransaction(pool, async (client) => {
    if (!(await lock(client, runId, patience)) || !(await needed(client))) return;
    const begun = performance.now();
    // Keeps the sort of a million rows in memory.
    await client.query(`set local work_mem = '64MB'`);
    // Read before the rows, so that a run that ends meanwhile does not get a final ranking. Locks the run against
    // deletion.
    const { rows: heads } = await client.query<{ over: boolean; readable: number }>(
      `select state not in ${OPEN_STATES} as over, rows - rejected as readable from runs where id = $1 for key share`,
      [runId],
    );
    const [run] = heads;
    if (run === undefined) return;
    await client.query(
      `insert into run_rankings (run_id, built_in_ms, scored, failed, final) values ($1, 0, 0, 0, false)
       on conflict (run_id) do nothing`,
      [runId],
    );
    await client.query('delete from ranking_chunks where run_id = $1', [runId]);
    const { rows: counts } = await client.query<{ scored: number; failed: number }>(STORE_CHUNKS, [
      runId,
      CHUNK_ROWS,
    ]);
    const { scored = 0, failed = 0 } = counts[0] ?? {};
    await client.query(
      `update run_rankings set built_at = now(), built_in_ms = $2, scored = $3, failed = $4, final = $5
       where run_id = $1`,
      [runId, Math.ceil(performance.now() - begun), scored, failed, run.over && scored === run.readable],
    );
  });
}

/** Rows with an error are chunk -1: counted, but not stored. */
const STORE_CHUNKS = `
  with ranked as (
    select i.seq, s.score,
           case when s.score is not null
                then (row_number() over (order by s.score desc nulls last, i.seq) - 1) / $2::int
                else -1 end as chunk
    from runs r
    join items i on i.run_id = r.id
    -- One look-up a row, whatever the planner thinks of the size of the tables.
    join lateral (select score, error from scores
                  where guard_id = r.guard_id and content = i.content limit 1) s
      on s.score is not null or s.error is not null
    where r.id = $1
  ), chunks as (
    select chunk, count(*) as rows,
           array_agg(seq order by score desc, seq) filter (where chunk >= 0) as seqs,
           array_agg(score order by score desc, seq) filter (where chunk >= 0) as scores
    from ranked group by chunk
  ), stored as (
    insert into ranking_chunks (run_id, chunk, rows, top_score, top_seq, bottom_score, bottom_seq, seqs, scores)
    select $1, chunk, rows, scores[1], seqs[1], scores[rows], seqs[rows], seqs::int[], scores
    from chunks where chunk >= 0
  )
  select coalesce(sum(rows) filter (where chunk >= 0), 0)::bigint as scored,
         coalesce(sum(rows) filter (where chunk < 0), 0)::bigint as failed
  from chunks`;

async function lock(client: pg.PoolClient, runId: number, patience: 'wait' | 'leave'): Promise<boolean> {
  if (patience === 'wait') {
    await client.query(`select pg_advisory_xact_lock(${RANKING_LOCK})`, [runId]);
    return true;
  }
  const { rows } = await client.query<{ got: boolean }>(
    `select pg_try_advisory_xact_lock(${RANKING_LOCK}) as got`,
    [runId],
  );
  return rows[0]?.got === true;
}
