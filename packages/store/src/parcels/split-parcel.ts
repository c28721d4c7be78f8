import { HASH_BYTES } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import type pg from 'pg';
import { int32Of } from '../scores/contents.js';
import { QUARANTINE_AFTER } from './lease-parcel.js';

/**
 * Replaces a pending parcel by two with half of its contents each. They inherit its claims, run and quarantine. A job of the
 * replaced parcel does nothing.
 * @returns the halves, to be enqueued; none when the parcel is not pending any more, or has a single content
 */
export function splitParcel(pool: Pool, parcelId: number): Promise<number[]> {
  return inTransaction(pool, async (client) => {
    // Locks the run first, then its parcels, in the same order as a cancellation, which must not miss the halves.
    await client.query('select from runs where id = (select run_id from parcels where id = $1) for share', [
      parcelId,
    ]);
    const { rows } = await client.query<{ lengths: Buffer }>(
      `select lengths from parcels where id = $1 and state = 'waiting' and contents > 1 for update`,
      [parcelId],
    );
    const [parcel] = rows;
    if (parcel === undefined) return [];
    const lengths = int32Of(parcel.lengths);
    const middle = Math.ceil(lengths.length / 2);
    const halves = [
      await insertPart(client, parcelId, lengths, 0, middle),
      await insertPart(client, parcelId, lengths, middle, lengths.length),
    ];
    await client.query('delete from parcels where id = $1', [parcelId]);
    return halves;
  });
}

/** Creates a parcel of the contents from `begin` to before `end`, with their claims. @returns its id */
async function insertPart(
  client: pg.PoolClient,
  parcelId: number,
  lengths: Int32Array,
  begin: number,
  end: number,
): Promise<number> {
  const before = lengths.subarray(0, begin).reduce((sum, length) => sum + length, 0);
  const tokens = lengths.subarray(begin, end).reduce((sum, length) => sum + length, 0);
  // Cut and moved within Postgres: token ids do not travel. Claims move by the key of scores (guard, content).
  const { rows } = await client.query<{ id: number }>(
    `with part as (
       insert into parcels (run_id, guard_id, contents, tokens, hashes, lengths, token_ids, lost_leases, created_at)
       select run_id, guard_id, $3, $5, substring(hashes from ${HASH_BYTES} * $2 + 1 for ${HASH_BYTES} * $3),
              substring(lengths from 4 * $2 + 1 for 4 * $3), substring(token_ids from 4 * $4 + 1 for 4 * $5),
              $6, created_at
       from parcels where id = $1
       returning id, guard_id, hashes
     ), moved as (
       update scores set parcel_id = part.id
       from part, generate_series(0, $3 - 1) n
       where scores.guard_id = part.guard_id and scores.content = substring(part.hashes from ${HASH_BYTES} * n + 1 for ${HASH_BYTES})
         and scores.parcel_id = $1
     )
     select id from part`,
    [parcelId, begin, end - begin, before, tokens, QUARANTINE_AFTER],
  );
  const [part] = rows;
  if (part === undefined) throw new Error('the insert returned no row');
  return part.id;
}
