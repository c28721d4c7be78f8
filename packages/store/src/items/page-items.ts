import type { Pool } from '@tocsin/postgres';
import { type ItemRow, itemsBySeq, type ScoredRun } from './items.js';
import { type ItemCursor, type OrderedQuery, rowsInOrder } from './rows-in-order.js';
import { searchRows } from './search-rows.js';

export interface ItemsQuery extends OrderedQuery {
  /** Words of the text, as people write them to a search engine: `"two words"`, `or`, `-not`. Of retained texts only. */
  search?: string;
  /** With the texts that are retained. */
  texts?: boolean;
}

export interface ItemsPage {
  rows: ItemRow[];
  /**
   * Null for the last page. A search that finds little ends its page after so many rows have been looked at: a page may be
   * short, or empty, and another come after it.
   */
  next: ItemCursor | null;
}

/** A page of a run's rows. Each row comes once, however the pages are cut. */
export async function pageItems(pool: Pool, run: ScoredRun, query: ItemsQuery): Promise<ItemsPage> {
  const { seqs, next } =
    query.search === undefined
      ? await page(pool, run, query)
      : await searchRows(pool, run, { ...query, search: query.search });
  return { rows: await itemsBySeq(pool, run, seqs, { texts: query.texts === true }), next };
}

async function page(
  pool: Pool,
  run: ScoredRun,
  query: ItemsQuery,
): Promise<{ seqs: number[]; next: ItemCursor | null }> {
  const rows = await rowsInOrder(pool, run.id, { ...query, limit: query.limit + 1 });
  const seen = rows.slice(0, query.limit);
  return { seqs: seen.map(({ seq }) => seq), next: rows.length > query.limit ? (seen.at(-1) ?? null) : null };
}
