import { codeOf, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import { sourceLabel } from './source-name.js';

const CONNECT_TIMEOUT_MS = 15_000;

/** Connect to a database that a source or an output names. Throws a `UserError` that never shows its password. */
export async function connectPostgres(url: string): Promise<pg.Client> {
  let client: pg.Client;
  try {
    client = new pg.Client({
      connectionString: url,
      application_name: 'tocsin',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
  } catch {
    // The reason may quote the address with its password.
    throw new UserError(`${sourceLabel(url)} is no address of a Postgres database.`, {
      hint: 'Write it as postgres://user@host:5432/database; the password may be in PGPASSWORD.',
    });
  }
  // A lost connection makes the query that waits fail; without a listener it would end the process as well.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw new UserError(`${sourceLabel(url)} cannot be reached: ${messageOf(error)}.`, {
      hint: 'Check host, port, database and user; the password may be in the address or in PGPASSWORD.',
      cause: error,
    });
  }
  return client;
}

/** What to tell a person about a statement that Postgres refused. */
export function postgresError(what: string, url: string, error: unknown, where = ''): UserError {
  const code = codeOf(error);
  const hint = error instanceof pg.DatabaseError ? error.hint : undefined;
  return new UserError(
    `${what} on ${sourceLabel(url)}${where}: ${messageOf(error)}${code === undefined ? '' : ` [${code}]`}.`,
    { ...(hint === undefined ? {} : { hint: `${hint}.` }), cause: error },
  );
}
