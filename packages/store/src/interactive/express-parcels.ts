import type { Pool } from '@tocsin/postgres';
import type { NewParcel } from '../parcels/submit-window.js';
import { OPEN_STATES } from '../runs/run-progress.js';
import { bytesOf, lengthsOf } from '../scores/contents.js';

/** What becomes of contents that somebody asks for. */
export interface SubmittedExpress {
  /** Those that have a score or a fresh error, or whose express parcel is on its way. */
  known: KnownOutcome[];
  /** The parcel of all others, to be queued; undefined when there are none. */
  parcelId: number | undefined;
}

/** A known outcome, or the new parcel: then all but `parcelId` is null. */
interface Row extends Omit<KnownOutcome, 'hash'> {
  hash: Buffer | null;
}

/**
 * Looks contents up, and stores an express parcel of those that are not known, with claims, all in one statement:
 * somebody waits for it. A content that a run's parcel has claimed stays with that one, which may be deep in its queue:
 * the express parcel brings the score first, and the run's parcel another time, which changes nothing. Claims of
 * cancelled parcels, and old errors, go to the express parcel.
 *
 * The commit does not wait for the disk. What a power cut takes was seen by nobody but its asker: parcel and claims go
 * together, as they are one transaction, so no claim is left without its parcel; the asker looks again every second,
 * finds no parcel, and asks anew. Scores, runs and their parcels are not written here.
 * @param asked no more than one parcel holds
 */
export async function submitExpress(
  pool: Pool,
  guardId: number,
  asked: NewParcel,
): Promise<SubmittedExpress> {
  const { rows } = await pool.query<Row>({
    // Prepared once a connection: planning this took as long as running it.
    name: 'submit-express',
    // In the order of the hashes, so that two askers never wait for each other.
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

/** An error is told to whoever asks within this time; later askers have the content tried again. */
const ERROR_KEPT_SECONDS = 600;

/** What the store knows of a content that somebody asks for. */
export interface KnownOutcome {
  /** 32 bytes. */
  hash: Buffer;
  score: number | null;
  error: string | null;
  /** The error is of the last ten minutes: another try would most likely end in it again, and cost the engine's life. */
  errorIsFresh: boolean;
  /** The express parcel that will bring the score; null when none is on its way. */
  parcelId: number | null;
}

/** What is known of the contents $2 (bytea[]) of the guard $1: those that have a score, an error or a claim. */
const KNOWN_OUTCOMES = `
  select s.content as hash, s.score, s.error,
         s.error is not null
           and coalesce(p.finished_at > now() - interval '${ERROR_KEPT_SECONDS} seconds', false) as "errorIsFresh",
         case when s.score is null and s.error is null and p.state = 'waiting' and p.run_id is null
              then p.id end as "parcelId"
  from scores s left join parcels p on p.id = s.parcel_id
  where s.guard_id = $1::int and s.content = any($2::bytea[])`;

/**
 * Those of the contents that have a score, an error or a claim.
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

/** Nobody waits longer for an express parcel. */
export const EXPRESS_WAIT_SECONDS = 60;

/** Those of the parcels that are express parcels and still wait to be scored. */
export async function waitingExpress(pool: Pool, parcelIds: readonly number[]): Promise<number[]> {
  if (parcelIds.length === 0) return [];
  // SQL, like all statements of interactive parcels, because clients wait for them: the query builder adds 0.1 to 0.4 ms to a statement.
  const { rows } = await pool.query<{ id: number }>(
    `select id from parcels where id = any($1::bigint[]) and state = 'waiting' and run_id is null order by id`,
    [parcelIds],
  );
  return rows.map((row) => row.id);
}

/** Cancels express parcels that nobody waits for any more. As of a cancelled run's, a later run takes them up again. */
export async function cancelExpress(pool: Pool, parcelIds: readonly number[]): Promise<void> {
  if (parcelIds.length === 0) return;
  await pool.query(
    `update parcels set state = 'cancelled'
     where id = any($1::bigint[]) and state = 'waiting' and run_id is null`,
    [parcelIds],
  );
}

/**
 * Cancels a guard's express parcels that have waited longer than anybody waits: their asker was killed.
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

/** Nobody asks for a cancelled express parcel, or why one had an error, after so long. */
const EXPRESS_KEPT_SECONDS = 3600;

/**
 * Deletes a guard's express parcels that are over: there may be one for every call of an API, and those that were
 * cancelled or had errors still hold token ids. A content without a score is as if nobody had asked for it.
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
 * Deletes the express parcels of all guards that are over, or that nobody waits for any more, and are so old. Those of a
 * guard that has an open run stay: the run may wait for a content of theirs.
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
