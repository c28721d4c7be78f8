import type { InfiniteData } from '@tanstack/preact-query';

/** The rows of all pages that have come, in order. */
export function rowsOf<Row>(pages: InfiniteData<{ data: Row[] }>): Row[] {
  return pages.pages.flatMap(({ data }) => data);
}
