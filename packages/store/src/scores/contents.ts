import { byteaArray, type Pool } from '@tocsin/postgres';

/** What the store knows of a content. */
type KnownState =
  /** It has a score. */
  | 'scored'
  /** A parcel is on its way. */
  | 'claimed'
  /** Its parcel was cancelled; the parcel can be taken up again. */
  | 'stranded';

export interface KnownContent {
  hash: Buffer;
  state: KnownState;
  parcelId: number;
  /** The run whose parcel it was, if that run is still there. */
  runId: number | null;
}

/**
 * Those of the contents that need no new parcel. One that ended in an error is not among them: it is tried again.
 * One look-up each, of the one partition that it can be in: with `= any`, a table of 16 partitions is asked for all of
 * them 16 times.
 * @param hashes 32 bytes each, no two alike
 */
export async function knownContents(pool: Pool, guardId: number, hashes: Buffer[]): Promise<KnownContent[]> {
  if (hashes.length === 0) return [];
  const { rows } = await pool.query<KnownContent>(
    `select s.content as hash,
            case when s.score is not null then 'scored'
                 when p.state = 'cancelled' then 'stranded'
                 else 'claimed' end as state,
            s.parcel_id as "parcelId",
            p.run_id as "runId"
     from unnest($2::bytea[]) as asked (content)
     cross join lateral (select * from scores
                         where guard_id = $1 and content = asked.content offset 0) s
     left join parcels p on p.id = s.parcel_id
     where s.error is null and (s.score is not null or p.id is not null)`,
    [guardId, byteaArray(hashes)],
  );
  return rows;
}

/** Bytes that a number holds exactly. */
const PREFIX_BYTES = 6;

/**
 * Rows in the order of their hashes: who writes many takes their locks in this order, so that two never wait for each other.
 * Compared by the first 6 bytes, as numbers, and whole only where those are the same: a third of the time.
 */
export function byHash<T extends { hash: Buffer }>(rows: readonly T[]): T[] {
  return rows
    .map((row) => ({ row, prefix: row.hash.readUIntBE(0, PREFIX_BYTES) }))
    .sort((a, b) => a.prefix - b.prefix || Buffer.compare(a.row.hash, b.row.hash))
    .map(({ row }) => row);
}

/** int32 values as little-endian bytes, as every platform that onnxruntime-node runs on has them in memory. */
export function bytesOf(values: readonly Int32Array[]): Buffer {
  return Buffer.concat(values.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
}

/** How many tokens each content has, in the same way. */
export function lengthsOf(tokenIds: readonly Int32Array[]): Buffer {
  return bytesOf([Int32Array.from(tokenIds, (ids) => ids.length)]);
}

/** int32 values of such bytes. */
export function int32Of(bytes: Buffer): Int32Array {
  return new Int32Array(Uint8Array.from(bytes).buffer);
}
