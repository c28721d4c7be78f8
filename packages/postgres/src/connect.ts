import { addressOf, checkServerUrl, explainServer, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import { schemaOf, useSchema, withoutSchema } from './schema.js';

export type Pool = pg.Pool;

/** Both `bigint` counters and ids stay far below 2^53. */
const BIGINT_OID = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === BIGINT_OID && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)) as never,
};

export interface ConnectOptions {
  /** Shown in pg_stat_activity; begins with `tocsin`. */
  applicationName: string;
  /** Connections at most. */
  max?: number;
}

const DEFAULT_MAX = 8;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A pool of connections whose unqualified names are in Tocsin's schema (`schemaOf(url)`), and nowhere else. Nothing
 * connects before the first query.
 * @throws UserError for an invalid URL
 */
export function createPool(url: string, options: ConnectOptions): Pool {
  checkServerUrl('DATABASE_URL', url);
  const schema = schemaOf(url);
  const pool = new pg.Pool({
    connectionString: withoutSchema(url),
    application_name: options.applicationName,
    max: options.max ?? DEFAULT_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types,
    onConnect: (client) => client.query(useSchema(schema)),
  });
  // The pool removes an idle connection that breaks; the next query gets another, or the error.
  pool.on('error', () => {});
  // A checked-out connection that breaks fails the current or the next query; without a listener, its event would also
  // end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * Checks that the server answers, and that no pooler switches connections between transactions.
 * @throws UserError, without the password
 */
export async function requireConnection(pool: Pool, url: string): Promise<void> {
  let pooled: boolean;
  try {
    pooled = await isPooledByTransaction(pool);
  } catch (cause) {
    const { why, todo } = explainServer(cause) ?? {
      why: messageOf(cause),
      todo: 'Check DATABASE_URL, or unset it to use the embedded server.',
    };
    throw new UserError(`Postgres at ${addressOf(url)} does not answer: ${why}`, { hint: todo, cause });
  }
  if (pooled) {
    throw new UserError(
      `Postgres at ${addressOf(url)} is behind a pooler that gives each transaction another connection`,
      {
        hint: 'Tocsin listens and holds locks for as long as it is connected: set pool_mode = session for its database or user, or connect to PostgreSQL itself (docs/run-a-service.md).',
      },
    );
  }
}

/**
 * Whether two clients that are connected at once share a server connection, as with a pooler that assigns connections per
 * transaction. Poolers assign the most recently released connection.
 */
async function isPooledByTransaction(pool: Pool): Promise<boolean> {
  const first = await pool.connect();
  try {
    const of = await backendPid(first);
    // A pool of one connection has no second to compare with.
    if (pool.options.max === 1) return false;
    const second = await pool.connect();
    try {
      return (await backendPid(second)) === of;
    } finally {
      second.release();
    }
  } finally {
    first.release();
  }
}

async function backendPid(client: pg.PoolClient): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid;
}

/** Runs `work` in one transaction; an error rolls it back. */
export async function inTransaction<T>(pool: Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      // The connection itself is gone, and the transaction with it: it must not go back into the pool.
      broken = cause;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
