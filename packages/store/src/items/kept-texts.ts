import type { Pool } from '@tocsin/postgres';

/** Rows of a run whose texts are in the store. */
export async function keptTexts(pool: Pool, runId: number): Promise<number> {
  const { rows } = await pool.query<{ kept: number }>(
    'select count(*) as kept from item_texts where run_id = $1',
    [runId],
  );
  return rows[0]?.kept ?? 0;
}
