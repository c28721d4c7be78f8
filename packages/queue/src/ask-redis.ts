import { isUserError, messageOf, UserError } from '@tocsin/errors';
import { Redis } from 'ioredis';

/**
 * Connects to a server, asks it something, and leaves. Nothing is tried twice: whoever asks wants to know now.
 * @throws UserError, without the password, when it does not answer; what `ask` throws as such
 */
export async function askRedis<T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  let redis: Redis | undefined;
  let reason: unknown;
  try {
    redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on('error', (error: unknown) => {
      reason = error;
    });
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    if (isUserError(error)) throw error;
    throw new UserError(`Redis at ${addressOf(url)} does not answer: ${messageOf(reason ?? error)}`, {
      hint: 'Check REDIS_URL, or unset it to keep the queue in Postgres.',
      cause: error,
    });
  } finally {
    redis?.disconnect();
  }
}

/** An address fit to be shown. */
export function addressOf(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : '';
  return host === '' ? 'the address given (which is no redis:// URL)' : `redis://${host}`;
}
