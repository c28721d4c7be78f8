import { codeOf, MIGRATIONS_TABLE, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import { sourceLabel } from './source-name.js';

const CONNECT_TIMEOUT_MS = 15_000;
/**
 * Takes the schemas of Tocsin's own tables out of the search path. The default path begins with the user's name: for a user
 * called tocsin, `scores` would be Tocsin's table, and not the one in public.
 */
const LEAVE_TOCSIN_OUT = `
  with schemas as (
    select name, n, to_regclass(format('%I.${MIGRATIONS_TABLE}', name)) is not null as own
    from unnest(current_schemas(false)) with ordinality as path (name, n)
  )
  select set_config('search_path', coalesce(string_agg(quote_ident(name), ', ' order by n) filter (where not own), ''), false)
  from schemas having bool_or(own)`;

/**
 * Connect to a database that a source or an output names; unqualified names are never those of Tocsin's own tables there.
 * Throws a `UserError` that never shows its password.
 */
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
    await client.query(LEAVE_TOCSIN_OUT);
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
    { ...(hint !== undefined && { hint: `${hint}.` }), cause: error },
  );
}
