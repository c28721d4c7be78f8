import { codeOf, MIGRATIONS_TABLE, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import { sourceLabel } from './source-name.js';

const CONNECT_TIMEOUT_MS = 15_000;
/**
 * Removes the schemas of Tocsin's own tables from the search path. The default path starts with the user's name: for a
 * user named tocsin, `scores` would be Tocsin's table instead of the one in public.
 */
const LEAVE_TOCSIN_OUT = `
  with schemas as (
    select name, n, to_regclass(format('%I.${MIGRATIONS_TABLE}', name)) is not null as own
    from unnest(current_schemas(false)) with ordinality as path (name, n)
  )
  select set_config('search_path', coalesce(string_agg(quote_ident(name), ', ' order by n) filter (where not own), ''), false)
  from schemas having bool_or(own)`;

/**
 * Connects to the database of a source or an output; unqualified names never refer to Tocsin's own tables.
 * @throws UserError that never contains the password
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
    // The original error may quote the URL with its password.
    throw new UserError(`${sourceLabel(url)} is not a valid Postgres URL`, {
      hint: 'Write it as postgres://user@host:5432/database; the password can be in PGPASSWORD.',
    });
  }
  // A lost connection fails the pending query; without a listener it would also crash the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(LEAVE_TOCSIN_OUT);
  } catch (error) {
    await client.end().catch(() => {});
    throw new UserError(`${sourceLabel(url)} cannot be reached: ${messageOf(error)}`, {
      hint: 'Check host, port, database and user; the password can be in the URL or in PGPASSWORD.',
      cause: error,
    });
  }
  return client;
}

/** The error for a failed statement. */
export function postgresError(what: string, url: string, error: unknown, where = ''): UserError {
  const code = codeOf(error);
  const hint = error instanceof pg.DatabaseError ? error.hint : undefined;
  return new UserError(
    `${what} on ${sourceLabel(url)}${where}: ${messageOf(error)}${code === undefined ? '' : ` [${code}]`}`,
    { ...(hint !== undefined && { hint: `${hint}.` }), cause: error },
  );
}
