import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisProcess } from '../setup/redis-process.js';

const LOOK_EVERY_MS = 10;
/** Minimum time before a lease expires: it is renewed at half its time of 5 s. */
const SOONEST_MS = 2_500;

/** A leased parcel, as stored by BullMQ. */
interface Held {
  /** The job's key in Redis. */
  key: string;
  /** When it was leased. */
  leasedAt: string | null;
}

/**
 * Kills a worker and watches the leased parcels until each is leased again, or finished.
 * @returns milliseconds until the last one that had lost its worker was leased again; undefined when there was none, or
 * when Redis itself was down meanwhile
 */
export async function timeToLease(redis: RedisProcess, kill: () => void): Promise<number | undefined> {
  const client = redis.client();
  let gone = false;
  client.on('error', () => {});
  client.on('close', () => {
    gone = true;
  });
  try {
    let held = await heldParcels(client);
    const killed = performance.now();
    kill();
    let last: number | undefined;
    while (held.length > 0 && !gone) {
      await sleep(LOOK_EVERY_MS);
      const leasedAt = await Promise.all(held.map(({ key }) => client.hget(key, 'processedOn')));
      const after = performance.now() - killed;
      // One that disappears this late was leased again and finished between two polls.
      const anew = held.some(
        (parcel, i) =>
          leasedAt[i] !== parcel.leasedAt && (typeof leasedAt[i] === 'string' || after > SOONEST_MS),
      );
      if (anew) last = after;
      held = held.filter((parcel, i) => parcel.leasedAt === leasedAt[i]);
    }
    return gone ? undefined : last;
  } finally {
    client.disconnect();
  }
}

async function heldParcels(client: ReturnType<RedisProcess['client']>): Promise<Held[]> {
  const held: Held[] = [];
  for (const list of await client.keys('*parcels-*:active')) {
    for (const id of await client.lrange(list, 0, -1)) {
      const key = list.replace(/active$/, id);
      held.push({ key, leasedAt: await client.hget(key, 'processedOn') });
    }
  }
  return held;
}
