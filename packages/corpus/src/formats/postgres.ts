import { codeOf, MIGRATIONS_TABLE, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import { cellRecord, type Found } from '../rows/source-record.js';
import { sourceLabel, sourceName } from '../sources/source-name.js';
import type { FormatOptions } from './format-options.js';

/** Most rows per fetch, and roughly the most characters. */
const FETCH_ROWS = 1000;
const FETCH_CHARACTERS = 8 * 1024 * 1024;
const FIRST_FETCH_ROWS = 100;

const DECLARE = 'declare tocsin_rows no scroll cursor for ';

const { BOOL, INT2, INT4, FLOAT4, FLOAT8, TEXT, VARCHAR, BPCHAR } = pg.types.builtins;
const NUMBERS: ReadonlySet<number> = new Set([INT2, INT4, FLOAT4, FLOAT8]);

const NAME = 19;
const TEXTS: ReadonlySet<number> = new Set([TEXT, VARCHAR, BPCHAR, NAME]);
/** OIDs from here on are user-defined types. */
const FIRST_OWN_TYPE = 16_384;

/** Parses numbers and booleans; everything else, JSON included, stays as Postgres writes it. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (id: number) =>
    NUMBERS.has(id) ? Number : id === BOOL ? (text: string) => text === 't' : (text: string) => text,
} as pg.CustomTypesConfig;

/**
 * The rows of a query, through a server-side cursor: one snapshot (repeatable read), read only. The "line" is the row
 * number.
 */
export async function* postgresRecords(
  source: string,
  options: FormatOptions,
): AsyncGenerator<Iterable<Found>> {
  const { query, signal } = options;
  if (query === undefined) throw new Error('a Postgres source without a query');
  const client = await connectPostgres(source);
  // Stops waiting for the server: the pending query fails, and the signal's reason is thrown.
  const stop = (): void => void client.end();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    await client.query('begin transaction isolation level repeatable read, read only');
    // Plan for fetching all rows, not the first ones quickly.
    await client.query('set local cursor_tuple_fraction = 1');
    await declare(client, query, source);
    let read = 0;
    let size = FIRST_FETCH_ROWS;
    for (;;) {
      const { rows, fields } = await client
        .query<Record<string, unknown>>({ text: `fetch ${size} from tocsin_rows`, types: TYPES })
        .catch((error: unknown) => {
          throw queryError(error, source, query, 0);
        });
      if (read === 0) await checkColumns(client, fields, options, source);
      if (rows.length === 0) break;
      const first = read + 1;
      read += rows.length;
      const characters = rows.reduce((sum, row) => sum + charactersOf(row), 0);
      size = Math.max(
        1,
        Math.min(FETCH_ROWS, Math.floor((rows.length * FETCH_CHARACTERS) / (characters + 1))),
      );
      yield rows.map((row, i) => ({ line: first + i, record: cellRecord(row, options) }));
      signal?.throwIfAborted();
    }
    await client.query('commit');
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await client.end();
  }
}

async function declare(client: pg.Client, query: string, source: string): Promise<void> {
  try {
    // The extended protocol allows only one statement.
    await client.query({ text: `${DECLARE}${query}`, queryMode: 'extended' } as pg.QueryConfig);
  } catch (error) {
    throw queryError(error, source, query, DECLARE.length);
  }
}

/** Checks that text columns have a text type: times and JSON would otherwise pass as texts. */
async function checkColumns(
  client: pg.Client,
  columns: readonly pg.FieldDef[],
  { textColumns }: FormatOptions,
  source: string,
): Promise<void> {
  const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) {
    throw new UserError(`the query on ${sourceName(source)} returns two columns named "${twice.name}"`, {
      hint: 'Rename one of them: select a.text, b.text as other_text ...',
    });
  }
  for (const { name, dataTypeID: id } of columns) {
    if (!textColumns.includes(name) || TEXTS.has(id) || id >= FIRST_OWN_TYPE) continue;
    const { rows } = await client.query<{ type: string }>('select format_type($1, null) as type', [id]);
    throw new UserError(
      `the column "${name}" of the query on ${sourceName(source)} has type ${rows[0]?.type}; expected text`,
      { hint: `Cast it to score it: ${name}::text.` },
    );
  }
}

function charactersOf(row: Record<string, unknown>): number {
  let sum = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') sum += value.length;
  return sum;
}

/** The error of a failed query, with the position in it. */
function queryError(error: unknown, source: string, query: string, before: number): UserError {
  const position = error instanceof pg.DatabaseError ? Number(error.position) - before : Number.NaN;
  // Postgres counts characters, not UTF-16 units.
  const upTo =
    position >= 1
      ? Array.from(query)
          .slice(0, position - 1)
          .join('')
      : undefined;
  const lines = upTo?.split('\n') ?? [];
  const where =
    upTo === undefined
      ? ''
      : ` (line ${lines.length}, character ${(lines.at(-1)?.length ?? 0) + 1} of the query)`;
  return postgresError('the query failed', source, error, where);
}

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
