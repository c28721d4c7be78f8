import type { Pool } from '@tocsin/postgres';
import { DrizzleQueryError } from 'drizzle-orm';
import { drizzle, type NodePgClient, type NodePgDatabase } from 'drizzle-orm/node-postgres';

/** A pool, or a connection of one in a transaction. */
export type Queryable = Pick<Pool, 'query'>;

/**
 * Runs a statement of the typed query builder. An error is the one of Postgres: drizzle's, around it, would show the
 * parameters, which may be texts, and hide the code.
 */
export async function runQuery<T>(
  client: Queryable,
  build: (db: NodePgDatabase) => PromiseLike<T>,
): Promise<T> {
  try {
    return await build(drizzle(client as NodePgClient));
  } catch (error) {
    throw error instanceof DrizzleQueryError ? error.cause : error;
  }
}

/** The row of an `insert … returning`. */
export function inserted<T>([row]: T[]): T {
  if (row === undefined) throw new Error('the insert returned no row');
  return row;
}
