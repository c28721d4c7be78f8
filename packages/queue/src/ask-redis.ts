import { addressOf, isUserError, messageOf, UserError } from '@tocsin/errors';
import { Cluster, Redis } from 'ioredis';
import { clusterNodesOf, isClusterUrl, openCluster } from './redis-cluster.js';

/** Whoever asks wants to know now. */
const ASK_ONCE = { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null };

/**
 * Connects to a server, asks it something, and leaves; of a cluster each master is asked, in turn. Nothing is tried twice.
 * @returns the answer, of a cluster the first one
 * @throws UserError, without the password, when it does not answer; what `ask` throws as such
 */
export async function askRedis<T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  let client: Redis | Cluster | undefined;
  let reason: unknown;
  try {
    client = isClusterUrl(url) ? openCluster(url, false) : new Redis(url, ASK_ONCE);
    // What a cluster's client is told of its nodes says more than what it makes of it.
    for (const event of ['error', 'node error']) {
      client.on(event, (error: unknown) => {
        reason = error;
      });
    }
    await client.connect();
    const [first, ...others] = client instanceof Cluster ? client.nodes('master') : [client];
    if (first === undefined) throw new Error('the cluster has no master');
    const answer = await ask(first);
    for (const other of others) await ask(other);
    return answer;
  } catch (error) {
    if (isUserError(error)) throw error;
    throw new UserError(`Redis at ${shownAddress(url)} does not answer: ${messageOf(reason ?? error)}`, {
      hint: 'Check REDIS_URL, or unset it to keep the queue in Postgres.',
      cause: error,
    });
  } finally {
    client?.disconnect();
  }
}

/** An address fit to be shown. */
export function shownAddress(url: string): string {
  const nodes = clusterNodesOf(url);
  return nodes === undefined ? addressOf(url) : `redis+cluster://${nodes}`;
}
