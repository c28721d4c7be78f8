import pg from 'pg';
import type { Pool } from './connect.js';

/** What was asked for before the interruption is cancelled when it is not done after this. */
const GRACE_MS = 2_000;
/** What is asked for after it, to end the work cleanly, is cancelled when it takes longer than this. */
const CLEAN_UP_MS = 30_000;
const LOOK_EVERY_MS = 500;

/**
 * Cancels the statements that a pool still waits for some time after an interruption: those for a lock, too. They fail with
 * code 57014. Call it before the pool connects.
 *
 * The cancel request goes to the address of the pool, with the key that the connection was given there: so it passes through
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
    // The request may be on its way still, and would cancel what comes next: this connection is not used again.
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

/** What `pg` knows of a connection beyond its types. */
interface Connected {
  host: string;
  port: number;
  ssl: pg.ConnectionConfig['ssl'];
  processID: number;
  secretKey: number;
}

/** As in `pg`'s own client; its types leave these out. */
interface Connection extends NodeJS.EventEmitter {
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

/** Asks the server to end what a connection runs; one that runs nothing stays as it is. */
function requestCancel(client: pg.PoolClient): void {
  const { host, port, ssl, processID, secretKey } = client as unknown as Connected;
  const connection = new pg.Connection(ssl === undefined ? {} : { ssl }) as unknown as Connection;
  // A server that is away runs nothing that could be cancelled.
  connection.on('error', () => {});
  const send = (): void => connection.cancel(processID, secretKey);
  connection.once('connect', () => (ssl ? connection.requestSsl() : send()));
  connection.once('sslconnect', send);
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
}
