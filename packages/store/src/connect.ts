import { addressOf, codeOf, messageOf, UserError } from '@tocsin/errors';
import pg from 'pg';

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

/** A pool of connections. Nothing connects before the first query. */
export function createPool(url: string, options: ConnectOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.max ?? DEFAULT_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types,
  });
  // An idle connection that breaks is taken out of the pool; the next query gets another, or the error.
  pool.on('error', () => {});
  // One that breaks while it is checked out fails the query under way or the next one; unheard, its event would end
  // the process as well.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Checks that the server answers. @throws UserError without the password, saying what to look at */
export async function requireConnection(pool: Pool, url: string): Promise<void> {
  try {
    await pool.query('select 1');
  } catch (cause) {
    throw new UserError(`Postgres at ${addressOf(url)} does not answer: ${messageOf(cause)}`, {
      hint:
        codeOf(cause) === '28P01' || codeOf(cause) === '28000'
          ? 'Check the user name and the password in DATABASE_URL.'
          : 'Check DATABASE_URL, or unset it to use the embedded server.',
      cause,
    });
  }
}
