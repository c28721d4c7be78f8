import { codeOf, UserError } from '@tocsin/core';
import { int8Array, type Pool, textArray } from '@tocsin/postgres';
import { OPEN_STATES } from '../runs/run-progress.js';
import { textsInTurn } from './texts-in-turn.js';

/** UTF-16 units of a text that can be searched: Postgres takes no more than a megabyte of words. */
const SEARCHED_LENGTH = 100_000;
/** Characters of a row's JSON that are read for them: quotes and names come on top, and escapes. */
export const SEARCHED_CHARACTERS = 4 * SEARCHED_LENGTH;
const BATCH_ROWS = 2_000;
/**
 * A word that no text has, for the space in it: with it, the words of one run are looked up among its own rows, however
 * many other runs have them.
 */
const RUN_WORD = "'=run ' || $1::bigint";
/** The query of run $1 for what somebody has typed, $2. */
export const QUERY = `(quote_literal(${RUN_WORD})::tsquery && websearch_to_tsquery('simple', $2))`;

/** The words of a text as the search takes them. */
export const searchedWords = (json: string): string =>
  plainText(json, SEARCHED_LENGTH).slice(0, SEARCHED_LENGTH).replaceAll('\0', ' ');

/**
 * Makes the texts of a run that is over fit to be searched fast: a batch at a time, so that it can be broken off and gone
 * on with.
 */
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

/** Strings of the stored JSON that are JSON themselves: they are kept as they stood in the corpus. */
const NESTED = new Set(['messages', 'tools']);

/**
 * The words of a row's text, for people and for the search: a text, the two parts of a pair, or the strings of messages
 * and tools, one after another, without the names of fields. No more than `longest` UTF-16 units are looked for, so
 * the end of a longer text may be missing, or a little more be there.
 * @param json what `item_texts` keeps of a row; it may be cut off at its end
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
 * Calls `see` with each string of a JSON text that is a value, in their order, until it returns false. A scan, because
 * `JSON.parse` takes neither a text that is cut off nor one that is nested without end.
 */
function eachString(json: string, see: (value: string, field: string | undefined) => boolean): void {
  /** Of each array or object that is open: whether it is an object. */
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

/** The string whose opening quote is at `from`, as far as it is there. @returns `end`: where its last character is */
function stringAt(json: string, from: number): { value: string; end: number } {
  let at = from + 1;
  let escaped = false;
  /** Up to here it can be decoded. */
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
