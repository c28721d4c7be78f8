import { fileURLToPath } from 'node:url';
import { MIGRATIONS_TABLE, UserError } from '@tocsin/core';
import {
  createSchema,
  currentSchema,
  inTransaction,
  lockKey,
  lookAtSchema,
  type Pool,
  queueSchemaOf,
} from '@tocsin/postgres';
import { getTableName, is } from 'drizzle-orm';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { PgTable } from 'drizzle-orm/pg-core';
import * as access from './access.js';
import * as dashboard from './dashboard.js';
import * as pipeline from './pipeline.js';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
const TABLES = Object.values({ ...pipeline, ...access, ...dashboard })
  .filter((value) => is(value, PgTable))
  .map((table) => getTableName(table));
/** The schema name that drizzle-kit writes in references. */
const ASSUMED_SCHEMA = '"public".';

interface Queryable {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/**
 * Creates the schema and its tables, or migrates them, in one transaction; safe with concurrent processes. drizzle's own migrator takes no lock, and needs the privilege to create a schema even where it exists.
 * @returns a warning for the user, when the tables were created beside those of an incompatible older version
 * @throws UserError when the tables are newer, the schema belongs to another program, or privileges are missing
 */
export function migrateSchema(pool: Pool): Promise<string | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(${lockKey('migrate')})`);
    const { state, pending } = await compare(client);
    if (state === 'newer') {
      throw new UserError('the database was set up by a newer version of Tocsin', {
        hint: 'Update Tocsin here, or use another database.',
      });
    }
    let warning: string | undefined;
    if (state === 'none') {
      const schema = await requireRoom(client);
      warning = await warnOfUnreleased(client, schema);
      await createSchema(client, schema, schemasOf(schema));
      await client.query(
        `create table ${MIGRATIONS_TABLE} (id serial primary key, hash text not null, created_at bigint not null)`,
      );
    }
    for (const { sql, hash, folderMillis } of pending) {
      for (const statement of sql) await client.query(statement.replaceAll(ASSUMED_SCHEMA, ''));
      await client.query(`insert into ${MIGRATIONS_TABLE} (hash, created_at) values ($1, $2)`, [
        hash,
        folderMillis,
      ]);
    }
    return warning;
  });
}

/** A database's tables compared with this version's. */
export type SchemaState = 'none' | 'older' | 'current' | 'newer';

/**
 * Read-only check.
 * @throws UserError like `migrateSchema`, except for newer tables
 */
export async function schemaState(client: Queryable): Promise<SchemaState> {
  const { state } = await compare(client);
  if (state === 'none') await requireRoom(client);
  return state;
}

/** @returns the schema for the tables @throws UserError when it cannot be used */
async function requireRoom(client: Queryable): Promise<string> {
  const schema = await currentSchema(client);
  await refuseForeignTables(client, schema);
  await lookAtSchema(client, schema, schemasOf(schema));
  return schema;
}

const schemasOf = (schema: string): string[] => [schema, queueSchemaOf(schema)];

async function compare(client: Queryable): Promise<{ state: SchemaState; pending: MigrationMeta[] }> {
  const known = readMigrationFiles({ migrationsFolder: MIGRATIONS });
  const { rows } = await client.query(`select to_regclass('${MIGRATIONS_TABLE}') is not null as there`);
  if (!(rows[0] as { there: boolean }).there) return { state: 'none', pending: known };
  const latest = await client.query(`select coalesce(max(created_at), 0) as at from ${MIGRATIONS_TABLE}`);
  const applied = (latest.rows[0] as { at: number }).at;
  if (known.every(({ folderMillis }) => folderMillis < applied)) return { state: 'newer', pending: [] };
  const pending = known.filter(({ folderMillis }) => folderMillis > applied);
  return { state: pending.length === 0 ? 'current' : 'older', pending };
}

/** A table with the name of one of ours: the schema belongs to another program. */
async function refuseForeignTables(client: Queryable, schema: string): Promise<void> {
  const { rows } = await client.query(
    `select string_agg(relname, ', ' order by relname) as names from pg_class
     where relnamespace = to_regnamespace($1) and relkind in ('r', 'p', 'v', 'm', 'f') and relname = any($2)`,
    [schema, TABLES],
  );
  const { names } = rows[0] as { names: string | null };
  if (names === null) return;
  throw new UserError(
    `the schema ${schema} already has tables under names that Tocsin uses, and Tocsin did not create them: ${names}`,
    { hint: 'Name a schema of its own for Tocsin: set TOCSIN_SCHEMA, or add ?schema=name to DATABASE_URL.' },
  );
}

/** sha256 of the first migration of versions before the first release, which used the schema `public`. */
const UNRELEASED = '12f9da187a23e1ba3be635356e7b82e596b80971111897f3ed29d7d7917e7e32';

async function warnOfUnreleased(client: Queryable, schema: string): Promise<string | undefined> {
  const { rows } = await client.query(
    `select to_regclass('drizzle.__drizzle_migrations') is not null
        and has_table_privilege(to_regclass('drizzle.__drizzle_migrations'), 'select') as there`,
  );
  if ((rows[0] as { there: boolean | null }).there !== true) return undefined;
  const { rows: ours } = await client.query('select from drizzle.__drizzle_migrations where hash = $1', [
    UNRELEASED,
  ]);
  if (ours.length === 0) return undefined;
  return `The database has runs of a Tocsin from before its first release, in the schema public. This version cannot read them: it leaves them as they are and begins with empty tables in the schema ${schema}.`;
}
