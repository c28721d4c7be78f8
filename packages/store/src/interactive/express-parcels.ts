import type { Pool } from '@tocsin/postgres';
import type { NewParcel } from '../parcels/submit-window.js';
import { OPEN_STATES } from '../runs/run-progress.js';
import { bytesOf, lengthsOf } from '../scores/contents.js';

/** The state of requested contents. */
export interface SubmittedExpress {
  /** Contents with a score, a recent error, or an express parcel in progress. */
  known: KnownOutcome[];
  /** The parcel of all others, to be enqueued; undefined without any. */
  parcelId: number | undefined;
}

/** A known outcome, or the new parcel: then all fields but `parcelId` are null. */
interface Row extends Omit<KnownOutcome, 'hash'> {
  hash: Buffer | null;
}

/**
 * Looks up contents, and stores an express parcel with claims for the unknown ones, in one statement. A content claimed by a
 * run's parcel stays claimed, but is also in the express parcel, which is scored first; the run's parcel later changes
 * nothing. Claims of cancelled parcels, and old errors, move to the express parcel.
 * The commit does not wait for the disk. After a power cut, parcel and claims of this transaction may be lost together; the
 * client polls every second, finds no parcel, and requests the contents again. Scores, runs and their parcels are not written here.
 * @param asked at most as many as fit into one parcel
 */
export async function submitExpress(
  pool: Pool,
  guardId: number,
  asked: NewParcel,
): Promise<SubmittedExpress> {
  const { rows } = await pool.query<Row>({
    // Prepared once per connection: planning took as long as running it.
    name: 'submit-express',
    // In hash order, so that concurrent statements cannot deadlock.
    text: `
      with fast as (
        select set_config('synchronous_commit', 'off', true)
      ), known as (${KNOWN_OUTCOMES}
      ), settled as (
        select * from known where score is not null or "errorIsFresh" or "parcelId" is not null
      ), fresh as (
        select content, length, token_ids, octet_length(token_ids) / 4 as tokens
        from unnest($2::bytea[], $3::bytea[], $4::bytea[]) as asked (content, length, token_ids)
        where content not in (select hash from settled)
      ), parcel as (
        insert into parcels (guard_id, contents, tokens, hashes, lengths, token_ids)
        select $1::int, count(*), sum(tokens), string_agg(content, '' order by content),
               string_agg(length, '' order by content), string_agg(token_ids, '' order by content)
        from fresh, fast
        having count(*) > 0
        returning id
      ), claimed as (
        insert into scores (guard_id, content, parcel_id, tokens)
        select $1::int, content, parcel.id, tokens from parcel, fresh order by content
        on conflict (guard_id, content) do update
        set parcel_id = excluded.parcel_id, error = null
        where scores.error is not null
           or scores.score is null
              and (select state from parcels p where p.id = scores.parcel_id) is distinct from 'waiting'
      )
      select hash, score, error, "errorIsFresh", "parcelId" from settled
      union all
      select null, null, null, false, id from parcel`,
    values: [
      guardId,
      asked.hashes,
      asked.tokenIds.map((ids) => lengthsOf([ids])),
      asked.tokenIds.map((ids) => bytesOf([ids])),
    ],
  });
  const known: KnownOutcome[] = [];
  let parcelId: number | undefined;
  for (const { hash, ...row } of rows) {
    if (hash === null) parcelId = row.parcelId ?? undefined;
    else known.push({ hash, ...row });
  }
  return { known, parcelId };
}

/** Age in seconds up to which an error is returned; after that the content is tried again. */
const ERROR_KEPT_SECONDS = 600;

/** The state of a requested content. */
export interface KnownOutcome {
  /** 32 bytes. */
  hash: Buffer;
  score: number | null;
  error: string | null;
  /** A recent error: another attempt would most likely fail again, and kill the engine. */
  errorIsFresh: boolean;
  /** The express parcel that will score it; null when there is none. */
  parcelId: number | null;
}

/** The state of the contents $2 (bytea[]) of the guard $1: those with a score, an error or a claim. */
const KNOWN_OUTCOMES = `
  select s.content as hash, s.score, s.error,
         s.error is not null
           and coalesce(p.finished_at > now() - interval '${ERROR_KEPT_SECONDS} seconds', false) as "errorIsFresh",
         case when s.score is null and s.error is null and p.state = 'waiting' and p.run_id is null
              then p.id end as "parcelId"
  from scores s left join parcels p on p.id = s.parcel_id
  where s.guard_id = $1::int and s.content = any($2::bytea[])`;

/**
 * The contents with a score, an error or a claim.
 * @param hashes 32 bytes each
 */
export async function knownOutcomes(pool: Pool, guardId: number, hashes: Buffer[]): Promise<KnownOutcome[]> {
  const { rows } = await pool.query<KnownOutcome>({
    name: 'known-outcomes',
    text: KNOWN_OUTCOMES,
    values: [guardId, hashes],
  });
  return rows;
}

/** No client waits longer for an express parcel. */
export const EXPRESS_WAIT_SECONDS = 60;

/** Which of the parcels are pending express parcels. */
export async function waitingExpress(pool: Pool, parcelIds: readonly number[]): Promise<number[]> {
  if (parcelIds.length === 0) return [];
  // SQL, like all statements of interactive parcels, for low latency: the query builder adds 0.1 to 0.4 ms per
  // statement.
  const { rows } = await pool.query<{ id: number }>(
    `select id from parcels where id = any($1::bigint[]) and state = 'waiting' and run_id is null order by id`,
    [parcelIds],
  );
  return rows.map((row) => row.id);
}

/** Cancels abandoned express parcels. Like those of a cancelled run, a later run can claim their contents. */
export async function cancelExpress(pool: Pool, parcelIds: readonly number[]): Promise<void> {
  if (parcelIds.length === 0) return;
  await pool.query(
    `update parcels set state = 'cancelled'
     where id = any($1::bigint[]) and state = 'waiting' and run_id is null`,
    [parcelIds],
  );
}

/**
 * Cancels a guard's express parcels that are older than the longest timeout: their process was killed.
 * @returns how many
 */
export async function cancelAbandonedExpress(pool: Pool, guardId: number): Promise<number> {
  const { rowCount } = await pool.query(
    `update parcels set state = 'cancelled'
     where guard_id = $1 and state = 'waiting' and run_id is null
       and created_at < now() - make_interval(secs => $2)`,
    [guardId, EXPRESS_WAIT_SECONDS],
  );
  return rowCount ?? 0;
}

/** Seconds after which a finished express parcel is no longer needed by any client. */
const EXPRESS_KEPT_SECONDS = 3600;

/**
 * Deletes a guard's finished express parcels: there may be one per API call, and cancelled or failed ones still contain
 * token ids. A content without a score becomes unknown again.
 * @returns how many
 */
export async function forgetExpress(pool: Pool, guardId: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from parcels
     where guard_id = $1 and run_id is null and state in ('done', 'cancelled')
       and created_at < now() - make_interval(secs => $2)`,
    [guardId, EXPRESS_KEPT_SECONDS],
  );
  return rowCount ?? 0;
}

/**
 * Deletes old express parcels of all guards that are finished or abandoned. Those of a guard with an open run are kept: the
 * run may wait for their contents.
 * @returns how many
 */
export async function purgeExpress(pool: Pool, olderThanDays: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from parcels p
     where run_id is null
       and created_at < now() - greatest($1 * interval '1 day', make_interval(secs => $2))
       and not exists (select from runs r
                       where r.guard_id = p.guard_id and r.state in ${OPEN_STATES})`,
    [olderThanDays, EXPRESS_WAIT_SECONDS],
  );
  return rowCount ?? 0;
}
