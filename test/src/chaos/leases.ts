import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisProcess } from '../setup/redis-process.js';

const LOOK_EVERY_MS = 20;

/** A parcel that a worker holds, as BullMQ keeps it. */
interface Held {
  /** The job's key in Redis. */
  key: string;
  /** The worker, by the token of its lock. */
  worker: string | undefined;
  /** When it was leased. */
  leasedAt: string | null;
}

/**
 * Kills a worker and watches the parcels that are held until each is leased anew or over.
 * @param workers how many there are; each has to hold something, else nobody knows what the killed one held
 * @returns milliseconds to the last of them; undefined when it could not be seen: a worker held nothing, or Redis itself
 * went away meanwhile
 */
export async function timeToLease(
  redis: RedisProcess,
  workers: number,
  kill: () => void,
): Promise<number | undefined> {
  const client = redis.client();
  client.on('error', () => {});
  let gone = false;
  client.on('close', () => {
    gone = true;
  });
  try {
    let held = await heldParcels(client);
    const killed = performance.now();
    kill();
    if (new Set(held.map(({ worker }) => worker)).size < workers) return undefined;
    while (held.length > 0 && !gone) {
      await sleep(LOOK_EVERY_MS);
      const leasedAt = await Promise.all(held.map(({ key }) => client.hget(key, 'processedOn')));
      held = held.filter((parcel, i) => parcel.leasedAt === leasedAt[i]);
    }
    return gone ? undefined : performance.now() - killed;
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

async function heldParcels(client: ReturnType<RedisProcess['client']>): Promise<Held[]> {
  const held: Held[] = [];
  for (const list of await client.keys('*:parcels-*:active')) {
    for (const id of await client.lrange(list, 0, -1)) {
      const key = list.replace(/active$/, id);
      const [lock, leasedAt] = await Promise.all([
        client.get(`${key}:lock`),
        client.hget(key, 'processedOn'),
      ]);
      held.push({ key, worker: lock?.split(':')[0], leasedAt });
    }
  }
  return held;
}
