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
import { Queue, type QueueOptions } from 'bullmq';
import { Cluster, Redis } from 'ioredis';

/** Fail fast: the caller waits for the answer. */
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

/** `redis+cluster://user:password@host:port,host:port`, and `rediss+cluster://` for TLS. */
const CLUSTER_URL = /^redis(?<tls>s?)\+cluster:\/\/(?:(?<login>[^@]*)@)?(?<nodes>[^@/?#]+)\/?$/;
const DEFAULT_PORT = 6379;
/** How long a client waits until it looks for a node again, at most. */
const LONGEST_WAIT_MS = 2_000;

/** True for an address that names nodes of a Redis Cluster. */
export const isClusterUrl = (url: string): boolean => /^rediss?\+cluster:/.test(url);

/** The nodes that an address names, without the password; undefined when it is no cluster's. */
export const clusterNodesOf = (url: string): string | undefined => CLUSTER_URL.exec(url)?.groups?.nodes;

/**
 * A client of a Redis Cluster. It connects at its first command, or when it is told to.
 * @param url names one node or more to begin with: the cluster says which others there are
 * @param patient whether it looks for nodes that are away again and again, as a queue's client does
 * @throws UserError for an address that cannot be read; it holds no part of it
 */
export function openCluster(url: string, patient = true): Cluster {
  const { tls, login, nodes } = CLUSTER_URL.exec(url)?.groups ?? {};
  if (nodes === undefined) {
    throw new UserError('the address of the Redis Cluster cannot be read', {
      hint: 'Write it as redis+cluster://user:password@host:port,host:port (rediss+cluster:// for TLS), and URL-encode special characters in the password.',
    });
  }
  const [username = '', password = ''] = (login ?? '').split(':').map(decodeURIComponent);
  return new Cluster(nodes.split(',').map(nodeOf), {
    lazyConnect: true,
    clusterRetryStrategy: (times) => (patient ? Math.min(100 * times, LONGEST_WAIT_MS) : null),
    // A certificate names hosts, not the addresses that they have.
    ...(tls === 's' && { dnsLookup: (address, done) => done(null, address) }),
    redisOptions: {
      ...(username !== '' && { username }),
      ...(password !== '' && { password }),
      ...(tls === 's' && { tls: {} }),
      maxRetriesPerRequest: patient ? null : 0,
    },
  });
}

/** @param text `host`, `host:port`, `[address]:port` */
function nodeOf(text: string): { host: string; port: number } {
  const [, host = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? DEFAULT_PORT : Number(port) };
}

/** BullMQ's queue on a Redis Cluster: it leaves a client that was given to it open, and this one is the queue's own. */
export class ClusterQueue<Data> extends Queue<Data> {
  readonly #cluster: Cluster;

  constructor(name: string, options: Omit<QueueOptions, 'connection'> & { connection: Cluster }) {
    super(name, options);
    this.#cluster = options.connection;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#cluster.disconnect();
  }

  override async disconnect(): Promise<void> {
    await super.disconnect();
    this.#cluster.disconnect();
  }
}
