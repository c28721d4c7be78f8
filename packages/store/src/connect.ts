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

/** A statement that was asked for before the interruption has run for longer than this when it is cancelled. */
const INTERRUPTION_GRACE_SECONDS = 2;

/**
 * Cancels the statements that a pool still waits for two seconds after an interruption. Those that it has begun since, to
 * end its work cleanly, go on. Call it before the pool connects.
 */
export function cancelWhenInterrupted(pool: Pool, url: string, interrupted: AbortSignal): void {
  const backends = new Set<number>();
  const pidOf = (client: pg.PoolClient): number =>
    (client as pg.PoolClient & { processID: number }).processID;
  pool.on('connect', (client) => backends.add(pidOf(client)));
  pool.on('remove', (client) => backends.delete(pidOf(client)));
  const cancel = async (): Promise<void> => {
    // Each connection of the pool may be waiting.
    const client = new pg.Client({ connectionString: url, application_name: 'tocsin interrupt' });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(
        `select pg_cancel_backend(pid) from pg_stat_activity
         where pid = any($1::int[]) and state = 'active' and query_start <= now() - make_interval(secs => $2)`,
        [[...backends], INTERRUPTION_GRACE_SECONDS],
      );
    } catch {
      // A second interruption ends the process at once.
    } finally {
      await client.end().catch(() => {});
    }
  };
  const later = (): void => {
    setTimeout(() => void cancel(), INTERRUPTION_GRACE_SECONDS * 1000).unref();
  };
  interrupted.addEventListener('abort', later, { once: true });
}
