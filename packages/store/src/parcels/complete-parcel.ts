import { byteaArray, float4Array, int4Array, type Pool, textArray } from '@tocsin/postgres';
import { DONE_MESSAGE, EXPRESS_CHANNEL } from '../interactive/express-listener.js';
import { byHash, bytesOf, lengthsOf } from '../scores/contents.js';

/** A content's outcome: its score, or its error. */
export interface ContentOutcome {
  /** 32 bytes. */
  hash: Buffer;
  /** Number of tokens. */
  tokens: number;
  score: number | null;
  error: string | null;
  /** For a content with an error: its tokens, kept in the parcel for a retry. */
  tokenIds?: Int32Array;
}

/**
 * Stores a parcel's scores and marks it done, in one statement. Idempotent, also with concurrent workers: an existing score
 * stays. Notifies the clients of an express parcel; that commit does not wait for the disk, because scores lost in a power
 * cut are computed again.
 * An upsert although the claims exist, because it finds each by key. As a join with an update, on a table without
 * statistics, every parcel read the whole table. In hash order, so that concurrent statements cannot deadlock.
 */
export async function completeParcel(
  pool: Pool,
  parcelId: number,
  outcomes: ContentOutcome[],
): Promise<void> {
  const kept = outcomes.flatMap(({ hash, error, tokenIds }) =>
    error === null || tokenIds === undefined ? [] : [{ hash, tokenIds }],
  );
  const keptIds = kept.map(({ tokenIds }) => tokenIds);
  const sorted = byHash(outcomes);
  await pool.query({
    // Prepared once per connection: for a parcel of one row, planning took as long as everything else.
    name: 'complete-parcel',
    text: `with parcel as (
       update parcels
       set state = 'done', finished_at = now(), hashes = $5, lengths = $6, token_ids = $7
       where id = $1 and state <> 'done'
       returning id, guard_id, run_id
     ), stored as (
       insert into scores (guard_id, content, parcel_id, tokens, score, error)
       select guard_id, content, id, tokens, score, error
       from parcel, unnest($2::bytea[], $8::int[], $3::real[], $4::text[]) as outcome (content, tokens, score, error)
       on conflict (guard_id, content) do update
       set score = excluded.score, error = excluded.error
       where scores.score is null
       returning scores.content, scores.score
     )
     select pg_notify(${EXPRESS_CHANNEL}, ${DONE_MESSAGE}), set_config('synchronous_commit', 'off', true)
     from parcel where run_id is null`,
    values: [
      parcelId,
      byteaArray(sorted.map((outcome) => outcome.hash)),
      float4Array(sorted.map((outcome) => outcome.score)),
      textArray(sorted.map((outcome) => outcome.error)),
      ...(kept.length === 0
        ? [null, null, null]
        : [Buffer.concat(kept.map(({ hash }) => hash)), lengthsOf(keptIds), bytesOf(keptIds)]),
      int4Array(sorted.map((outcome) => outcome.tokens)),
    ],
  });
}
