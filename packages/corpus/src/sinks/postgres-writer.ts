import { codeOf, isUserError, UserError } from '@tocsin/errors';
import pg from 'pg';
import { connectPostgres, postgresError } from '../postgres.js';
import type { ScoreRow } from '../score-row.js';
import { sourceLabel } from '../source-name.js';
import type { RowWriter } from './row-writer.js';

/**
 * What becomes of rows that the table has already:
 * - `replace`: a row with the same key takes the place of the one that is there, so writing again changes nothing;
 * - `append`: rows are added, whatever is there;
 * - `fail`: the table must be empty or not there.
 */
export const TABLE_MODES = ['replace', 'append', 'fail'] as const;
export type TableMode = (typeof TABLE_MODES)[number];

export const DEFAULT_TABLE_MODE = 'replace' satisfies TableMode;

/** Rows of one statement, which is one transaction. */
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

/** Make sure that scores can be written to a table, and make it if it is not there. Throws a `UserError`. */
export async function checkTable(
  url: string,
  table: string,
  mode: TableMode = DEFAULT_TABLE_MODE,
): Promise<void> {
  const client = await connectPostgres(url);
  try {
    await prepareTable(client, url, table, mode);
  } finally {
    await client.end();
  }
}

/**
 * Writes scores into a table of a Postgres database, page by page, each in a transaction of its own: what was written stays
 * when the writing is given up.
 */
export class PostgresWriter implements RowWriter<ScoreRow> {
  readonly readerGone = false;
  readonly #client: pg.Client;
  readonly #url: string;
  readonly #table: string;
  readonly #mode: TableMode;
  #rows: ScoreRow[] = [];
  #open = true;

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

  async write(rows: readonly ScoreRow[]): Promise<void> {
    for (const row of rows) {
      this.#rows.push(row);
      if (this.#rows.length >= PAGE_ROWS) await this.#flush();
    }
  }

  async finish(): Promise<void> {
    if (!this.#open) return;
    await this.#flush();
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
    // Of equal keys the last row stays; one statement must not meet a key twice.
    const rows =
      this.#mode === 'replace' ? [...new Map(this.#rows.map((row) => [row.key, row])).values()] : this.#rows;
    this.#rows = [];
    const arrays = NAMES.map((_name, i) => `$${i + 1}::${COLUMNS[NAMES[i] ?? 'key']}[]`).join(', ');
    const updates = NAMES.filter((name) => name !== 'key').map((name) => `${name} = excluded.${name}`);
    const conflict =
      this.#mode === 'replace'
        ? ` on conflict (key) do update set ${updates.join(', ')}, scored_at = excluded.scored_at`
        : '';
    try {
      await this.#client.query(
        `insert into ${quoted(this.#table)} (${NAMES.join(', ')}) select * from unnest(${arrays})${conflict}`,
        NAMES.map((name) =>
          rows.map((row) =>
            row.error !== undefined && name !== 'key' && name !== 'error' ? null : (row[name] ?? null),
          ),
        ),
      );
    } catch (error) {
      await this.abort();
      throw tableError(error, this.#url, this.#table);
    }
  }
}

async function prepareTable(client: pg.Client, url: string, table: string, mode: TableMode): Promise<void> {
  const columns = NAMES.map((name) => `${name} ${COLUMNS[name]}${name === 'key' ? ' not null' : ''}`);
  // Only where rows are told apart by their keys: a corpus may have a key twice.
  const unique = mode === 'replace' ? ', primary key (key)' : '';
  try {
    // "if not exists" still asks for the right to create one.
    const { rows: there } = await client.query('select to_regclass($1) as id', [quoted(table)]);
    if (there[0]?.id === null) {
      await client.query(
        `create table if not exists ${quoted(table)} (${columns.join(', ')}, scored_at timestamptz not null default now()${unique})`,
      );
    }
    if (mode === 'fail') {
      const { rowCount } = await client.query(`select 1 from ${quoted(table)} limit 1`);
      if (rowCount !== 0) {
        throw new UserError(`The table ${table} on ${sourceLabel(url)} holds rows already.`, {
          hint: 'Name another table, or say what becomes of them with --out-mode replace or append.',
        });
      }
    } else {
      // Says now, and not after hours of scoring, that columns or rights are missing.
      await client.query(
        `insert into ${quoted(table)} (${NAMES.join(', ')}) select ${NAMES.map((name) => `null::${COLUMNS[name]}`).join(', ')} where false${mode === 'replace' ? ' on conflict (key) do update set error = excluded.error' : ''}`,
      );
    }
  } catch (error) {
    throw isUserError(error) ? error : tableError(error, url, table);
  }
}

/** No unique index on the column of "on conflict". */
const NO_UNIQUE_KEY = '42P10';

function tableError(error: unknown, url: string, table: string): UserError {
  if (codeOf(error) === NO_UNIQUE_KEY) {
    return new UserError(`The table ${table} on ${sourceLabel(url)} has no unique index on "key".`, {
      hint: `Make one (create unique index on ${table} (key)), or write with --out-mode append.`,
      cause: error,
    });
  }
  return postgresError(`The scores cannot be written to the table ${table}`, url, error);
}

/** `audit.scores` -> `"audit"."scores"` */
function quoted(table: string): string {
  return table
    .split('.')
    .map((name) => pg.escapeIdentifier(name))
    .join('.');
}
