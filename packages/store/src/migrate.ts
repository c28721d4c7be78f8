import { fileURLToPath } from 'node:url';
import { UserError } from '@tocsin/errors';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import type { Pool } from './connect.js';

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));
/** drizzle's migrator takes no lock of its own. Any number will do, as long as it is always the same. */
const MIGRATION_LOCK = 7_062_601;

/**
 * Brings the schema up to date. Any number of processes may do so at once.
 * @throws UserError when the schema is newer than this version of Tocsin
 */
export async function migrateSchema(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await refuseNewerSchema(client);
      await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
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

async function refuseNewerSchema(client: Queryable): Promise<void> {
  if ((await schemaState(client)) !== 'newer') return;
  throw new UserError('the database was set up by a newer version of Tocsin', {
    hint: 'Update Tocsin here, or use another database.',
  });
}
