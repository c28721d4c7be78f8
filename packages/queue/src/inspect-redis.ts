import type { Redis } from 'ioredis';
import { askRedis } from './ask-redis.js';

/** What a Redis (or Valkey) server says of itself. */
export interface RedisFacts {
  /** e.g. `Redis 7.2.4`, `Valkey 8.0.1`. */
  server: string;
  /** What it does when it is full: a queue needs `noeviction`. */
  evictionPolicy: string;
  /** Whether what it holds outlives a restart. */
  persistent: boolean;
}

/**
 * Looks at a server.
 * @throws UserError, without the password, when it does not answer
 */
export function inspectRedis(url: string): Promise<RedisFacts> {
  return askRedis(url, async (redis) => {
    const info = await redis.info();
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    const valkey = field('valkey_version');
    return {
      server:
        valkey === undefined ? `Redis ${field('redis_version') ?? '(version unknown)'}` : `Valkey ${valkey}`,
      evictionPolicy: field('maxmemory_policy') ?? 'noeviction',
      persistent: field('aof_enabled') === '1' || (await savesSnapshots(redis)),
    };
  });
}

/** Hosted servers may forbid CONFIG; what is not known counts as no. */
async function savesSnapshots(redis: Redis): Promise<boolean> {
  try {
    const [, save = ''] = (await redis.config('GET', 'save')) as string[];
    return save !== '';
  } catch {
    return false;
  }
}
