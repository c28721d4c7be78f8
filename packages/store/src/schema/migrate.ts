import { fileURLToPath } from 'node:url';
import { ADVISORY_LOCKS, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { getTableName, is } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { PgTable } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import * as access from './access.js';
import * as dashboard from './dashboard.js';
import * as pipeline from './pipeline.js';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
/** The names of Tocsin's tables. */
const TABLES = Object.values({ ...pipeline, ...access, ...dashboard })
  .filter((value) => is(value, PgTable))
  .map((table) => getTableName(table));
const OWN_DATABASE =
  'Give Tocsin a database of its own: create one (createdb tocsin) and set DATABASE_URL to it.';

/**
 * Brings the schema up to date. Any number of processes may do so at once.
 * @throws UserError when the schema is newer than this version of Tocsin, or the database is used by another application
 */
export async function migrateSchema(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    // drizzle's migrator takes no lock of its own.
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrations]);
    try {
      await refuseForeignTables(client);
      await refuseNewerSchema(client);
      await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
    } finally {
      await client.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.migrations]);
    }
  } finally {
    client.release();
  }
}

/** How a database's tables compare with those that this version of Tocsin works on. */
export type SchemaState = 'none' | 'older' | 'current' | 'newer';

interface Queryable {
  query(sql: string): Promise<{ rows: unknown[] }>;
}

/** Looks, and changes nothing. */
export async function schemaState(client: Queryable): Promise<SchemaState> {
  const exists = await client.query(`select to_regclass('drizzle.__drizzle_migrations') as name`);
  if ((exists.rows[0] as { name: string | null }).name === null) return 'none';
  const latest = await client.query('select max(created_at) as at from drizzle.__drizzle_migrations');
  const applied = Number((latest.rows[0] as { at: string | number | null }).at ?? 0);
  const known = Math.max(
    ...readMigrationFiles({ migrationsFolder: MIGRATIONS }).map((file) => file.folderMillis),
  );
  if (applied === known) return 'current';
  return applied > known ? 'newer' : 'older';
}

/**
 * In a database that Tocsin has not set up: refuses another application's record of migrations, which is not to be mistaken
 * for Tocsin's, and a table under a name that a migration would create.
 */
async function refuseForeignTables(client: pg.PoolClient): Promise<void> {
  if ((await schemaState(client)) !== 'none') {
    const { rows: applied } = await client.query<{ hash: string }>(
      'select hash from drizzle.__drizzle_migrations',
    );
    const ours = new Set(readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ hash }) => hash));
    if (applied.some(({ hash }) => ours.has(hash))) return;
    if (applied.length > 0) {
      throw new UserError('the database belongs to another application that uses drizzle', {
        hint: OWN_DATABASE,
      });
    }
  }
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = to_regnamespace(current_schema()) and relkind in ('r', 'p', 'v', 'm', 'f') and relname = any($1)
     order by relname`,
    [TABLES],
  );
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(', ');
  throw new UserError(`the database already has tables under names that Tocsin uses: ${names}`, {
    hint: OWN_DATABASE,
  });
}

async function refuseNewerSchema(client: Queryable): Promise<void> {
  if ((await schemaState(client)) !== 'newer') return;
  throw new UserError('the database was set up by a newer version of Tocsin', {
    hint: 'Update Tocsin here, or use another database.',
  });
}
