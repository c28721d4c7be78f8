import { inTransaction, lockKey, type Pool } from '@tocsin/postgres';
import type pg from 'pg';
import { noSuchRun } from '../runs/retry-run.js';
import { OPEN_STATES } from '../runs/run-progress.js';

/** What the ranking of a run is of. */
export interface Ranking {
  runId: number;
  /** Rows that got their score later are not in it. */
  asOf: Date;
  /** It never changes any more: the run is over, and each row that could be read has a score. */
  final: boolean;
  /** Rows with a score. */
  scored: number;
  /** Rows whose content ended in an error. */
  failed: number;
}

/** A ranking that can still change is built again after so long, and after so many times what it took to build. */
const AGE = { going: { seconds: 3, builds: 10 }, over: { seconds: 10, builds: 100 } };

/**
 * The ranking of a run, made now if there is none or it has grown old. Everything else in this folder reads what the last
 * such look has left: look first. A second look while another process builds gets the old one.
 * @throws UserError when there is no such run
 */
export async function rankRun(pool: Pool, runId: number): Promise<Ranking> {
  const found = await look(pool, runId);
  if (found.ranking !== undefined && !found.old) return found.ranking;
  await buildRanking(pool, runId, found.ranking === undefined ? 'wait' : 'leave', async (client) => {
    const { ranking, old } = await look(client, runId);
    return ranking === undefined || old;
  });
  const { ranking } = await look(pool, runId);
  // The run was deleted while it was ranked.
  if (ranking === undefined) throw noSuchRun(runId);
  return ranking;
}

/** @throws UserError when there is no such run */
async function look(
  pool: Pick<Pool, 'query'>,
  runId: number,
): Promise<{ ranking: Ranking | undefined; old: boolean }> {
  // SQL: asked at every look at a run; one row by its key, with what makes it old.
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
 * Rows of a chunk: what a page, or the edge of a count, has to look at. As many as fill two of the 1,996-byte pieces into
 * which Postgres cuts an array, and begin no third: 24 bytes, and 4 a row.
 */
export const CHUNK_ROWS = 992;

/**
 * Sorts a run's scored rows, and stores them in chunks in place of those that are there. One process builds at a time.
 * @param patience `wait` for a process that is building now; `leave` it at that, and build nothing
 * @param needed asked when nobody else is building: whether it is still to be done
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
    // The sort of a million rows stays in memory.
    await client.query(`set local work_mem = '64MB'`);
    // Asked before the rows are: a run that ends meanwhile has a ranking that is not final. One that is being deleted is
    // waited for, and one that is ranked is not deleted.
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

/** Rows that ended in an error are chunk -1: counted, and not stored. */
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
