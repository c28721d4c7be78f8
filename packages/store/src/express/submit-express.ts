import type { Pool } from '../connect.js';
import type { NewParcel } from '../submit-window.js';
import { bytesOf, lengthsOf } from '../token-bytes.js';

/**
 * Stores an express parcel, and claims its contents, in one statement. A content that a run's parcel has claimed stays
 * with that one, which may be deep in its queue: the express parcel brings the score first, and the run's parcel
 * another time, which changes nothing. Claims of cancelled parcels, and errors, go to the express parcel.
 *
 * The commit does not wait for the disk: on a power cut the parcel is lost whole, and its asker asks again.
 * @returns the parcel, to be queued
 */
export async function submitExpress(pool: Pool, guardId: number, parcel: NewParcel): Promise<number> {
  const contents = parcel.hashes
    .map((hash, i) => ({ hash, tokenIds: parcel.tokenIds[i] ?? new Int32Array() }))
    // In the order of the hashes, so that two askers never wait for each other.
    .sort((a, b) => Buffer.compare(a.hash, b.hash));
  const hashes = contents.map(({ hash }) => hash);
  const tokenIds = contents.map((content) => content.tokenIds);
  const { rows } = await pool.query<{ id: number }>(
    `with fast as (
       select set_config('synchronous_commit', 'off', true)
     ), parcel as (
       insert into parcels (guard_id, contents, tokens, hashes, lengths, token_ids)
       select $1, $2, $3, $4, $5, $6 from fast
       returning id
     ), claimed as (
       insert into scores (guard_id, content, parcel_id, tokens)
       select $1, content, parcel.id, tokens
       from parcel, unnest($7::bytea[], $8::int[]) as claim (content, tokens)
       on conflict (guard_id, content) do update
       set parcel_id = excluded.parcel_id, error = null
       where scores.error is not null
          or scores.score is null
             and (select state from parcels p where p.id = scores.parcel_id) is distinct from 'waiting'
     )
     select id from parcel`,
    [
      guardId,
      contents.length,
      tokenIds.reduce((sum, ids) => sum + ids.length, 0),
      Buffer.concat(hashes),
      lengthsOf(tokenIds),
      bytesOf(tokenIds),
      hashes,
      tokenIds.map((ids) => ids.length),
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no row');
  return row.id;
}
