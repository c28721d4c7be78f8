import { codeOf, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/**
 * A search as it was typed, in a form that `websearch_to_tsquery` can read. Postgres puts every minus before a word on a stack of 32:
 * the 33rd is an error. So of several where a word may begin, whatever signs are between them, the last one stays.
 */
export function parsableQuery(typed: string): string {
  return typed.replace(/(^|[\s!&|()"])[-\s!&|()]*-/g, '$1-');
}

/** Classes of errors that say that the words themselves are no query: wrong syntax, a limit, an internal one of the parser. */
const NO_QUERY = /^(22|42601|54|XX000)/;

/**
 * The words and operators of a search; 0 for one that has none.
 * @throws UserError when Postgres cannot read it
 */
export async function countWords(pool: Pool, search: string): Promise<number> {
  try {
    const { rows } = await pool.query<{ words: number }>(
      `select numnode(websearch_to_tsquery('simple', $1)) as words`,
      [search],
    );
    return rows[0]?.words ?? 0;
  } catch (error) {
    if (!NO_QUERY.test(codeOf(error) ?? '')) throw error;
    throw new UserError('these words cannot be searched for: Postgres cannot read them as a query', {
      hint: 'Search for fewer words, without signs.',
      cause: error,
    });
  }
}
