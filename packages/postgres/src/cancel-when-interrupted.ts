import pg from 'pg';
import type { Pool } from './connect.js';

/** Statements sent before the interruption are cancelled after this long. */
const GRACE_MS = 2_000;
/** Statements sent after it, for a clean end, are cancelled if they take longer than this. */
const CLEAN_UP_MS = 30_000;
const LOOK_EVERY_MS = 500;

/**
 * Cancels a pool's statements that are still running some time after an interruption, also those that wait for a lock. They
 * fail with code 57014. Call it before the pool connects.
 *
 * The cancel request goes to the pool's address with the key that the connection got there, so it also works through
 * PgBouncer, where a process number would name another client's statement, or none.
 */
export function cancelWhenInterrupted(
  pool: Pool,
  interrupted: AbortSignal,
  { graceMs = GRACE_MS, cleanUpMs = CLEAN_UP_MS }: { graceMs?: number; cleanUpMs?: number } = {},
): void {
  /** Connections in use, and since when. */
  const inUse = new Map<pg.PoolClient, number>();
  pool.on('acquire', (client) => inUse.set(client, performance.now()));
  const cancelled = new WeakSet<pg.PoolClient>();
  pool.on('release', (_error, client) => {
    inUse.delete(client);
    // A late cancel request would cancel the next statement, so this connection is not used again.
    if (cancelled.has(client)) (client as pg.PoolClient & pg.Client).end().catch(() => {});
  });
  pool.on('remove', (client) => inUse.delete(client));
  const begin = (): void => {
    const since = performance.now();
    const look = (): void => {
      const now = performance.now();
      for (const [client, at] of inUse) {
        if (at <= since ? now - since < graceMs : now - at < cleanUpMs) continue;
        cancelled.add(client);
        requestCancel(client);
      }
      if (pool.ended && inUse.size === 0) clearInterval(timer);
    };
    const timer = setInterval(look, LOOK_EVERY_MS).unref();
    if (graceMs === 0) look();
  };
  if (interrupted.aborted) begin();
  else interrupted.addEventListener('abort', begin, { once: true });
}

/** Properties of a `pg` connection that its types omit. */
interface Connected {
  host: string;
  port: number;
  ssl: pg.ConnectionConfig['ssl'];
  processID: number;
  secretKey: number;
}

/** Methods of `pg`'s client that its types omit. */
interface Connection extends NodeJS.EventEmitter {
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

/** Requests cancellation of a connection's current statement, if any. */
function requestCancel(client: pg.PoolClient): void {
  const { host, port, ssl, processID, secretKey } = client as unknown as Connected;
  const connection = new pg.Connection(ssl === undefined ? {} : { ssl }) as unknown as Connection;
  // An unreachable server has nothing to cancel.
  connection.on('error', () => {});
  const send = (): void => connection.cancel(processID, secretKey);
  connection.once('connect', () => (ssl ? connection.requestSsl() : send()));
  connection.once('sslconnect', send);
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
}
