import type { Pool } from '@tocsin/postgres';
import { installation } from '../schema/pipeline.js';
import { inserted, runQuery } from '../schema/run-query.js';

/** The name of this database, for what it keeps on a Redis server that others may share. Made at the first call. */
export async function installationId(pool: Pool): Promise<string> {
  const rows = await runQuery(pool, (db) =>
    db
      .insert(installation)
      .values({ only: true })
      .onConflictDoUpdate({ target: installation.only, set: { only: true } })
      .returning({ id: installation.id }),
  );
  return inserted(rows).id;
}
