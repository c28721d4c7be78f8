import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { codeOf, UserError } from '@tocsin/core';
import { type DataDir, readOwn, writeOwn } from './data-dir.js';

/** Name of the server's user and of its database. */
export const DATABASE = 'tocsin';

/** Only this machine may connect; there are no Unix sockets, whose path length is limited to about 100 bytes. */
export const HOST = '127.0.0.1';

/**
 * Settings for a batch tool on a laptop: safe on power loss, little memory, few checkpoints, no parallel queries (the
 * model uses the cores).
 */
export const SERVER_SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  shared_buffers: '256MB',
  max_connections: '60',
  fsync: 'on',
  synchronous_commit: 'on',
  // There are no replicas.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  jit: 'off',
  // Parallel queries would take the model's cores, and need more of /dev/shm than a container has.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const satisfies Record<string, string>;

export const SECOND = 1000;

/** How long each step may take, in milliseconds. */
export const PATIENCE = {
  /** While another process initialises, recovers or stops the server. */
  lock: 6 * 60 * SECOND,
  /** A start, with crash recovery of up to `max_wal_size` of log on a slow disk. */
  ready: 5 * 60 * SECOND,
  /** A wait is logged after this long. */
  quiet: 3 * SECOND,
  /** Backends of a killed server finish their query before they release its shared memory. */
  leftovers: 30 * SECOND,
  /** A fast shutdown writes a checkpoint. */
  shutdown: 2 * 60 * SECOND,
  connect: 20 * SECOND,
} as const;

/**
 * Below the ports that systems use for outgoing connections (Linux from 32768, macOS from 49152): one of those
 * could take the server's port while it is down, and a client that keeps trying could even connect to itself.
 */
const FROM = 20_000;
const TO = 32_000;

/** The port of the last start if it is free, else another free one. */
export async function choosePort(dir: DataDir): Promise<number> {
  const last = await lastPort(dir);
  if (last !== undefined && (await isFree(last))) return last;
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(FROM, TO);
    if (await isFree(port)) return port;
  }
  throw new UserError(`found no free port between ${FROM} and ${TO} on ${HOST} for PostgreSQL`, {
    hint: 'Name one with --port, or set DATABASE_URL.',
  });
}

async function lastPort(dir: DataDir): Promise<number | undefined> {
  const port = Number(await readOwn(dir, 'port'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export async function rememberPort(dir: DataDir, port: number): Promise<void> {
  if ((await lastPort(dir)) !== port) await writeOwn(dir, 'port', `${port}\n`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: HOST, exclusive: true }, resolve);
    });
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
