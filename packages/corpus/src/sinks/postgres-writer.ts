import {
  codeOf,
  DEFAULT_TABLE_MODE,
  isUserError,
  MIGRATIONS_TABLE,
  messageOf,
  type TableMode,
  UserError,
} from '@tocsin/core';
import pg from 'pg';
import { connectPostgres, postgresError } from '../formats/postgres.js';
import { sourceLabel } from '../sources/source-name.js';
import type { RowWriter } from './row-writer.js';
import type { ScoreRow } from './score-format.js';

/** Rows per statement; each is one transaction. */
const PAGE_ROWS = 5_000;

const COLUMNS = {
  key: 'text',
  score: 'double precision',
  harmful: 'boolean',
  threshold: 'double precision',
  tokens: 'integer',
  truncated: 'boolean',
  error: 'text',
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

/** Checks that scores can be written to a table, which may not exist yet. Creates nothing. @throws UserError */
export async function checkTable(
  url: string,
  table: string,
  mode: TableMode = DEFAULT_TABLE_MODE,
): Promise<void> {
  const client = await connectPostgres(url);
  try {
    await lookAtTable(client, url, table, mode);
  } finally {
    await client.end();
  }
}

/**
 * Writes scores into a Postgres table, page by page, each in its own transaction: pages already written stay when writing
 * is aborted.
 */
export class PostgresWriter implements RowWriter<ScoreRow> {
  readonly readerGone = false;
  readonly #client: pg.Client;
  readonly #url: string;
  readonly #table: string;
  readonly #mode: TableMode;
  #rows: ScoreRow[] = [];
  #open = true;
  #written = 0;
  /** The `scored_at` of this writer's rows, to recognize them. */
  #stamp: string | undefined;
  #notes: readonly string[] = [];

  private constructor(client: pg.Client, url: string, table: string, mode: TableMode) {
    this.#client = client;
    this.#url = url;
    this.#table = table;
    this.#mode = mode;
  }

  static async open(
    url: string,
    table: string,
    mode: TableMode = DEFAULT_TABLE_MODE,
  ): Promise<PostgresWriter> {
    const client = await connectPostgres(url);
    try {
      await prepareTable(client, url, table, mode);
      return new PostgresWriter(client, url, table, mode);
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  get notes(): readonly string[] {
    return this.#notes;
  }

  async write(rows: readonly ScoreRow[]): Promise<void> {
    for (const row of rows) {
      this.#rows.push(row);
      this.#written += 1;
      if (this.#rows.length >= PAGE_ROWS) await this.#flush();
    }
  }

  async finish(): Promise<void> {
    if (!this.#open) return;
    await this.#flush();
    const merged = await this.#merged();
    if (merged > 0) {
      const rows = merged === 1 ? '1 row shares its' : `${merged.toLocaleString('en-US')} rows share their`;
      this.#notes = [
        `${rows} key with another row of this output; the table has the last score of each key. To keep every row, write to another table with --out-mode append.`,
      ];
    }
    this.#open = false;
    await this.#client.end();
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#rows = [];
    await this.#client.end();
  }

  async #flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const replace = this.#mode === 'replace';
    // A statement may not upsert the same key twice.
    const rows = replace ? lastScores(this.#rows) : this.#rows;
    this.#rows = [];
    const arrays = NAMES.map((name, i) => `$${i + 1}::${COLUMNS[name]}[]`).join(', ');
    const updates = NAMES.filter((name) => name !== 'key').map((name) => `${name} = excluded.${name}`);
    const conflict = `on conflict (key) do update set ${updates.join(', ')}, scored_at = excluded.scored_at
       where excluded.error is null or old.scored_at is distinct from excluded.scored_at`;
    const values = NAMES.map((name) =>
      rows.map((row) =>
        row.error !== undefined && name !== 'key' && name !== 'error' ? null : (row[name] ?? null),
      ),
    );
    try {
      await this.#client.query(
        replace
          ? `insert into ${quoted(this.#table)} as old (${NAMES.join(', ')}, scored_at)
             select *, $${NAMES.length + 1}::timestamptz from unnest(${arrays}) ${conflict}`
          : `insert into ${quoted(this.#table)} (${NAMES.join(', ')}) select * from unnest(${arrays})`,
        replace ? [...values, await this.#stamped()] : values,
      );
    } catch (error) {
      await this.abort();
      throw tableError(error, this.#url, this.#table);
    }
  }

  async #stamped(): Promise<string> {
    if (this.#stamp === undefined) {
      const { rows } = await this.#client.query<{ now: string }>('select clock_timestamp()::text as now');
      this.#stamp = rows[0]?.now ?? '';
    }
    return this.#stamp;
  }

  /** Rows of this output that were merged with another row of the same key. */
  async #merged(): Promise<number> {
    if (this.#mode !== 'replace' || this.#stamp === undefined) return 0;
    const { rows } = await this.#client.query<{ kept: string }>(
      `select count(*) as kept from ${quoted(this.#table)} where scored_at = $1::timestamptz`,
      [this.#stamp],
    );
    return this.#written - Number(rows[0]?.kept ?? 0);
  }
}

/** The last row of each key; an error only where the key has no score. */
function lastScores(rows: readonly ScoreRow[]): ScoreRow[] {
  const byKey = new Map<string, ScoreRow>();
  for (const row of rows) {
    if (row.error === undefined || byKey.get(row.key)?.error !== undefined || !byKey.has(row.key))
      byKey.set(row.key, row);
  }
  return [...byKey.values()];
}

/** Creates the table if missing. */
async function prepareTable(client: pg.Client, url: string, table: string, mode: TableMode): Promise<void> {
  if (await lookAtTable(client, url, table, mode)) return;
  const columns = NAMES.map((name) => `${name} ${COLUMNS[name]}${name === 'key' ? ' not null' : ''}`);
  // Only in replace mode: a corpus may contain duplicate keys.
  const unique = mode === 'replace' ? ', primary key (key)' : '';
  try {
    await client.query(
      `create table if not exists ${quoted(table)} (${columns.join(', ')}, scored_at timestamptz not null default now()${unique})`,
    );
  } catch (error) {
    throw tableError(error, url, table);
  }
}

/** @returns whether the table exists; its columns, privileges and mode are checked */
async function lookAtTable(client: pg.Client, url: string, table: string, mode: TableMode): Promise<boolean> {
  try {
    const { rows } = await client.query<{
      there: boolean;
      schema: string | null;
      creatable: boolean | null;
      own: boolean | null;
    }>(
      `select to_regclass($1) is not null as there, $2::text as schema,
              has_schema_privilege(to_regnamespace(quote_ident($2))::oid, 'create') as creatable,
              to_regclass(format('%I.${MIGRATIONS_TABLE}', $2::text)) is not null as own`,
      [quoted(table), schemaOf(table) ?? (await currentSchema(client))],
    );
    const found = rows[0];
    if (found?.own === true) {
      throw new UserError(
        `scores cannot be written to the schema "${found.schema}" on ${sourceLabel(url)}: it holds Tocsin's own tables`,
        {
          hint: 'Name a table in another schema: --out-table schema.table.',
        },
      );
    }
    if (found?.there !== true) {
      if (found?.creatable === true) return false;
      throw new UserError(`the table ${table} on ${sourceLabel(url)} does not exist and cannot be created`, {
        hint:
          found?.creatable === null
            ? found.schema === null
              ? 'The search path contains no existing schema: create one, or use --out-table schema.table.'
              : `The schema "${found.schema}" does not exist: create it, or name another one in --out-table.`
            : `The user may not create tables in the schema "${found?.schema}": grant CREATE on it, or name a table that exists.`,
      });
    }
    if (mode === 'fail') {
      const { rowCount } = await client.query(`select 1 from ${quoted(table)} limit 1`);
      if (rowCount !== 0) {
        throw new UserError(`the table ${table} on ${sourceLabel(url)} already has rows`, {
          hint: 'Name another table, or use --out-mode replace or append.',
        });
      }
    }
    // Detect missing columns or privileges now, not after hours of scoring.
    const replace = mode === 'replace';
    const columns = replace ? [...NAMES, 'scored_at'] : NAMES;
    const nulls = NAMES.map((name) => `null::${COLUMNS[name]}`).concat(replace ? ['now()'] : []);
    await client.query(
      `insert into ${quoted(table)} (${columns.join(', ')}) select ${nulls.join(', ')} where false${replace ? ' on conflict (key) do update set error = excluded.error' : ''}`,
    );
    return true;
  } catch (error) {
    throw isUserError(error) ? error : tableError(error, url, table);
  }
}

async function currentSchema(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ name: string | null }>('select current_schema() as name');
  return rows[0]?.name ?? null;
}

/** The schema of a table name. */
function schemaOf(table: string): string | undefined {
  const parts = table.split('.');
  return parts.length > 1 ? parts[0] : undefined;
}

/** SQLSTATE: no unique index for "on conflict". */
const NO_UNIQUE_KEY = '42P10';
const NO_SUCH_COLUMN = '42703';

function tableError(error: unknown, url: string, table: string): UserError {
  if (codeOf(error) === NO_UNIQUE_KEY) {
    return new UserError(`the table ${table} on ${sourceLabel(url)} has no unique index on "key"`, {
      hint: `Create one (create unique index on ${table} (key)), or use --out-mode append.`,
      cause: error,
    });
  }
  if (codeOf(error) === NO_SUCH_COLUMN) {
    return new UserError(
      `the table ${table} on ${sourceLabel(url)} does not have the score columns: ${messageOf(error)}`,
      {
        hint: 'Name a new table with --out-table (it will be created), or add the missing columns.',
        cause: error,
      },
    );
  }
  return postgresError(`scores cannot be written to the table ${table}`, url, error);
}

/** `audit.scores` -> `"audit"."scores"` */
function quoted(table: string): string {
  return table
    .split('.')
    .map((name) => pg.escapeIdentifier(name))
    .join('.');
}
