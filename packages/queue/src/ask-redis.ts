import { once } from 'node:events';
import { connect } from 'node:net';
import {
  addressOf,
  checkServerUrl,
  codeOf,
  explainServer,
  isUserError,
  messageOf,
  UserError,
} from '@tocsin/core';
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
  if (!isClusterUrl(url)) checkServerUrl('REDIS_URL', url);
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
    const said = isCutOff(reason ?? error) ? await firstWords(url) : undefined;
    const { why, todo } = explainServer(said) ??
      explainServer(error) ??
      explainServer(reason) ?? {
        why: said?.message ?? messageOf(reason ?? error),
        todo: 'Check REDIS_URL, or unset it to keep the queue in Postgres.',
      };
    throw new UserError(`Redis at ${shownAddress(url)} does not answer: ${why}`, {
      hint: todo,
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

const FIRST_WORDS_MS = 2_000;

/** A server that refuses a client says why and hangs up, and what is being written then fails first. */
const isCutOff = (error: unknown): boolean =>
  ['EPIPE', 'ECONNRESET'].includes(codeOf(error) ?? '') || /^Connection is closed/.test(messageOf(error));

/** What a server says before it is asked anything, as it does in protected mode and when it has no free connections. */
async function firstWords(url: string): Promise<Error | undefined> {
  if (isClusterUrl(url)) return undefined;
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port || 6379), hostname.replace(/^\[(.*)\]$/, '$1'));
  try {
    const [said] = (await once(socket, 'data', { signal: AbortSignal.timeout(FIRST_WORDS_MS) })) as [Buffer];
    const [, words] = /^-(.*)/.exec(said.toString()) ?? [];
    return words === undefined ? undefined : new Error(words.split('. ')[0]);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

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
