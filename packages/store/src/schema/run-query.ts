import type { Pool } from '@tocsin/postgres';
import { DrizzleQueryError } from 'drizzle-orm';
import { drizzle, type NodePgClient, type NodePgDatabase } from 'drizzle-orm/node-postgres';

/** A pool, or a pooled connection in a transaction. */
export type Queryable = Pick<Pool, 'query'>;

/** Cached per pool and connection: creating one takes longer than a small statement. */
const databases = new WeakMap<Queryable, NodePgDatabase>();

function databaseOf(client: Queryable): NodePgDatabase {
  const known = databases.get(client);
  if (known !== undefined) return known;
  const made = drizzle(client as NodePgClient);
  databases.set(client, made);
  return made;
}

/**
 * Runs a statement of the query builder. Throws Postgres' own error: drizzle's wrapper would show the parameters, which
 * may be texts, and hide the code.
 */
export async function runQuery<T>(
  client: Queryable,
  build: (db: NodePgDatabase) => PromiseLike<T>,
): Promise<T> {
  try {
    return await build(databaseOf(client));
  } catch (error) {
    throw error instanceof DrizzleQueryError ? error.cause : error;
  }
}

/** The row of an `insert … returning`. */
export function inserted<T>([row]: T[]): T {
  if (row === undefined) throw new Error('the insert returned no row');
  return row;
}
