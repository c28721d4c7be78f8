import { UserError } from '@tocsin/core';
import { Queue, type QueueOptions } from 'bullmq';
import { Cluster } from 'ioredis';

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
