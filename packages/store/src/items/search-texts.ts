import { codeOf, UserError } from '@tocsin/core';
import { int8Array, type Pool, textArray } from '@tocsin/postgres';
import { OPEN_STATES } from '../runs/run-progress.js';
import { textsInTurn } from './texts-in-turn.js';

/** Searchable UTF-16 units of a text: Postgres limits a tsvector to one megabyte. */
const SEARCHED_LENGTH = 100_000;
/** Characters of a row's JSON read for indexing: includes quotes, names and escapes. */
export const SEARCHED_CHARACTERS = 4 * SEARCHED_LENGTH;
const BATCH_ROWS = 2_000;
/** An artificial word (it contains a space) that limits an index search to the rows of one run. */
const RUN_WORD = "'=run ' || $1::bigint";
/** The query of run $1 for the search string $2. */
export const QUERY = `(quote_literal(${RUN_WORD})::tsquery && websearch_to_tsquery('simple', $2))`;

/** The words of a text, as a tsvector. */
export const searchedWords = (json: string): string =>
  plainText(json, SEARCHED_LENGTH).slice(0, SEARCHED_LENGTH).replaceAll('\0', ' ');

/** Indexes the texts of a finished run in batches; can be interrupted and resumed. */
export async function indexTexts(pool: Pool, runId: number, signal?: AbortSignal): Promise<void> {
  for (let after = 0; ; ) {
    signal?.throwIfAborted();
    const { rows } = await pool.query<{ seq: number }>(
      'select seq from item_texts where run_id = $1 and seq > $2 and search is null order by seq limit $3',
      [runId, after, BATCH_ROWS],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    const seqs = rows.map(({ seq }) => seq);
    const options = { characters: SEARCHED_CHARACTERS, signal };
    for await (const { texts } of textsInTurn(pool, runId, seqs, options)) {
      await pool.query(
        `update item_texts t set search = to_tsvector('simple', words) || array_to_tsvector(array[${RUN_WORD}])
         from unnest($2::bigint[], $3::text[]) as text (seq, words)
         where t.run_id = $1 and t.seq = text.seq`,
        [runId, int8Array([...texts.keys()]), textArray([...texts.values()].map(searchedWords))],
      );
    }
    if (rows.length < BATCH_ROWS) break;
    after = last.seq;
  }
  await pool.query(`update runs set searchable_at = now() where id = $1 and state not in ${OPEN_STATES}`, [
    runId,
  ]);
}

/**
 * Normalizes a search string for `websearch_to_tsquery`. Postgres pushes every minus before a word onto a stack of 32,
 * and the 33rd is an error, so of several consecutive ones only the last is kept.
 */
export function parsableQuery(typed: string): string {
  return typed.replace(/(^|[\s!&|()"])[-\s!&|()]*-/g, '$1-');
}

/** Error classes that mean an invalid query: syntax errors, limits, internal errors of the parser. */
const NO_QUERY = /^(22|42601|54|XX000)/;

/**
 * The number of words and operators in a search; 0 for one without any.
 * @throws UserError when Postgres cannot parse it
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

/** Strings of the stored JSON that contain JSON themselves, stored unchanged. */
const NESTED = new Set(['messages', 'tools']);

/**
 * The words of a row's text, for display and search: a text, both parts of a pair, or the strings of messages and tools,
 * joined, without field names. Reads about `longest` UTF-16 units, so the end of a longer text may be missing.
 * @param json from `item_texts`; may be truncated
 */
export function plainText(json: string, longest = Number.POSITIVE_INFINITY): string {
  const parts: string[] = [];
  let length = 0;
  const take = (value: string): boolean => {
    parts.push(value);
    length += value.length + 1;
    return length <= longest;
  };
  eachString(json, (value, field) => {
    if (!NESTED.has(field ?? '')) return take(value);
    let more = true;
    eachString(value, (inner) => {
      more = take(inner);
      return more;
    });
    return more;
  });
  return parts.join('\n');
}

const OPEN_OBJECT = '{'.charCodeAt(0);
const CLOSE_OBJECT = '}'.charCodeAt(0);
const OPEN_ARRAY = '['.charCodeAt(0);
const CLOSE_ARRAY = ']'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);

/**
 * Calls `see` with each string value of a JSON text in order, until it returns false. A scanner, because `JSON.parse`
 * rejects truncated texts and fails on very deep ones.
 */
function eachString(json: string, see: (value: string, field: string | undefined) => boolean): void {
  /** Whether each open bracket is an object. */
  const open: boolean[] = [];
  let nameIsNext = false;
  let field: string | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const token = stringAt(json, at);
      at = token.end;
      if (nameIsNext) field = open.length === 1 ? token.value : undefined;
      else if (!see(token.value, field)) return;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      open.push(char === OPEN_OBJECT);
      nameIsNext = char === OPEN_OBJECT;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      open.pop();
      nameIsNext = false;
    } else if (char === COMMA) nameIsNext = open.at(-1) === true;
    else if (char === COLON) nameIsNext = false;
  }
}

/** The string that starts with the quote at `from`, possibly truncated. @returns `end`: index of its last character */
function stringAt(json: string, from: number): { value: string; end: number } {
  let at = from + 1;
  let escaped = false;
  /** Decodable up to here. */
  let whole = at;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) {
    if (json[at] === '\\') {
      escaped = true;
      at += json[at + 1] === 'u' ? 6 : 2;
    } else at += 1;
    if (at <= json.length) whole = at;
  }
  const source = json.slice(from + 1, whole);
  return { value: escaped ? (JSON.parse(`"${source}"`) as string) : source, end: at };
}
