import { addressOf, checkServerUrl, explainServer, isUserError, messageOf, UserError } from '@tocsin/core';
import { createPostgresBackend as createOverPool, runMigrations } from 'bullmq';
import pg from 'pg';

/** The schema that BullMQ keeps its Postgres tables in. */
const SCHEMA = 'bullmq';
/** For statements, and one that listens. */
const POOL_MAX = 5;
/** BullMQ's log of events in Redis is trimmed by BullMQ; in Postgres it would grow for ever. Nothing reads it. */
const EVENTS_KEPT_MS = 60 * 60_000;
/**
 * Set by a statement, not by the connection's `options`: PgBouncer refuses a start-up packet that has them.
 * What a power cut takes out of the queue is put back, so no dispatch has to wait for the disk.
 */
const SETTINGS = `set search_path = ${SCHEMA}; set synchronous_commit = off`;

export function postgresOptions(url: string) {
  return {
    connectionString: url,
    application_name: 'tocsin queue',
    max: POOL_MAX,
    keepAlive: true,
    onConnect: (client: pg.ClientBase) => client.query(SETTINGS),
  };
}

/** BullMQ's backend over a pool of our own, which ends with it: the pool that BullMQ makes sends `options`. */
export const createPostgresBackend: typeof createOverPool = (name, opts, factoryOpts) => {
  const pool = new pg.Pool(opts.connection as pg.PoolConfig);
  // Its type of a pool is a subset of what pg's has, which TypeScript does not see through pg's overloads.
  const connection = pool as unknown as typeof opts.connection;
  const backend = createOverPool(name, { ...opts, connection }, factoryOpts);
  let ended: Promise<void> | undefined;
  const endPool = (): Promise<void> => (ended ??= pool.end());
  const close = backend.close.bind(backend);
  backend.close = async (...args) => {
    await close(...args);
    await endPool();
  };
  const disconnect = backend.disconnect.bind(backend);
  backend.disconnect = async (...args) => {
    await disconnect(...args);
    await endPool();
  };
  return backend;
};

/** Creates or updates BullMQ's tables. @throws UserError, without the password, when that fails */
export async function migrateQueueTables(url: string): Promise<void> {
  checkServerUrl('DATABASE_URL', url);
  const client = new pg.Client({ connectionString: url, application_name: 'tocsin queue' });
  // A connection that breaks fails the query under way; unheard, its event would end the process as well.
  client.on('error', () => {});
  try {
    await client.connect();
    await runMigrations(client);
    await client.query(`delete from ${SCHEMA}.event where created_at_ms < $1`, [Date.now() - EVENTS_KEPT_MS]);
  } catch (cause) {
    if (isUserError(cause)) throw cause;
    const { why, todo } = explainServer(cause) ?? { why: messageOf(cause), todo: undefined };
    throw new UserError(`the queue's tables in Postgres at ${addressOf(url)} cannot be set up: ${why}`, {
      ...(todo === undefined ? {} : { hint: todo }),
      cause,
    });
  } finally {
    await client.end();
  }
}
