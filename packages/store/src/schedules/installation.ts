import type { Pool } from '@tocsin/postgres';

/** The name of this database, for what it keeps on a Redis server that others may share. Made at the first call. */
export async function installationId(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into installation ("only") values (true)
     on conflict ("only") do update set "only" = true
     returning id`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no row');
  return row.id;
}
