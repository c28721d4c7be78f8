import { int8Array, type Pool, textArray } from '@tocsin/postgres';
import {
  type ItemCursor,
  type ItemRow,
  itemsBySeq,
  type OrderedQuery,
  rankedCursor,
  rowsInOrder,
  type ScoredRun,
} from './items.js';
import { countWords, parsableQuery, QUERY, SEARCHED_CHARACTERS, searchedWords } from './search-texts.js';
import { textsInTurn } from './texts-in-turn.js';

export interface ItemsQuery extends OrderedQuery {
  /** A full-text query over retained texts: `"two words"`, `or`, `-not`. */
  search?: string;
  /** Include retained texts. */
  texts?: boolean;
}

export interface ItemsPage {
  rows: ItemRow[];
  /**
   * Null on the last page. A search with few matches ends its page after a bounded number of rows, so a page may be
   * short or empty although more follow.
   */
  next: ItemCursor | null;
}

/** A page of a run's rows. Across pages each row occurs once. */
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

/** Up to this many matches are sorted; with more, rows are scanned in order until enough match. */
const SORTED_MATCHES = 5_000;
/** Rows per scan of texts; and rows, and bytes of texts without an index, after which a page ends. */
const LOOK_ROWS = 1_000;
const PAGE_ROWS = 20_000;
const PAGE_BYTES = 32 * 1024 * 1024;

interface FoundRows {
  seqs: number[];
  next: ItemCursor | null;
}

interface TextQuery extends OrderedQuery {
  search: string;
}

/**
 * Rows that match a full-text query, in the given order. Few matches come from the index, sorted; many are found by
 * scanning the rows. Texts of an unfinished run are not indexed, and always scanned.
 */
async function searchRows(pool: Pool, run: ScoredRun, asked: TextQuery): Promise<FoundRows> {
  const query = { ...asked, search: parsableQuery(asked.search) };
  const words = await countWords(pool, query.search);
  const { rows: about } = await pool.query<{ indexed: boolean }>(
    'select searchable_at is not null as indexed from runs where id = $1',
    [run.id],
  );
  const [found] = about;
  // A query without words, e.g. only signs, matches nothing.
  if (found === undefined || words === 0) return { seqs: [], next: null };
  if (found.indexed) {
    const { rows } = await pool.query<{ seq: number }>(
      `select seq from item_texts where run_id = $1 and search is not null and search @@ ${QUERY} limit $3`,
      [run.id, query.search, SORTED_MATCHES + 1],
    );
    const matches = rows.map(({ seq }) => seq);
    if (matches.length <= SORTED_MATCHES) return sortMatches(pool, run, query, matches);
  }
  return goThrough(pool, run, query);
}

async function sortMatches(
  pool: Pool,
  run: ScoredRun,
  { order, limit, min, max, after }: TextQuery,
  matches: number[],
): Promise<FoundRows> {
  const scored = order !== 'seq' || min !== undefined || max !== undefined;
  const { rows } = await pool.query<{ seq: number; score: number | null }>(
    `select i.seq, s.score
     from unnest($3::bigint[]) as found (seq)
     join items i on i.run_id = $1 and i.seq = found.seq
     -- One look-up a row, whatever the planner thinks of the size of the tables.
     left join lateral (select score from scores where guard_id = $2 and content = i.content limit 1) s on true
     where (not $4 or (s.score >= $5::real and s.score <= $6::real))
       and ($8::bigint is null or ${AFTER[order]})
     order by ${SORT[order]} limit $9`,
    [
      run.id,
      run.guardId,
      matches,
      scored,
      min ?? 0,
      max ?? 1,
      order === 'seq' ? null : (rankedCursor(after)?.score ?? null),
      after?.seq ?? null,
      limit + 1,
    ],
  );
  const seen = rows.slice(0, limit);
  const last = seen.at(-1);
  const next =
    rows.length > limit && last !== undefined ? { seq: last.seq, score: last.score ?? undefined } : null;
  return { seqs: seen.map(({ seq }) => seq), next };
}

const SORT = { score_desc: 's.score desc, i.seq', score_asc: 's.score, i.seq desc', seq: 'i.seq' };
const AFTER = {
  score_desc: '(s.score < $7::real or (s.score = $7::real and i.seq > $8))',
  score_asc: '(s.score > $7::real or (s.score = $7::real and i.seq < $8))',
  seq: '($7::real is null and i.seq > $8)',
};

async function goThrough(pool: Pool, run: ScoredRun, query: TextQuery): Promise<FoundRows> {
  const seqs: number[] = [];
  let after = query.after;
  let bytes = 0;
  for (let looked = 0; looked < PAGE_ROWS; looked += LOOK_ROWS) {
    const rows = await rowsInOrder(pool, run.id, { ...query, limit: LOOK_ROWS, after });
    let at = 0;
    for await (const some of matchesAmong(
      pool,
      run.id,
      rows.map(({ seq }) => seq),
      query.search,
    )) {
      for (const row of rows.slice(at, at + some.looked)) {
        after = row;
        if (!some.matching.has(row.seq)) continue;
        seqs.push(row.seq);
        if (seqs.length === query.limit) return { seqs, next: row };
      }
      at += some.looked;
      bytes += some.bytes;
      if (bytes >= PAGE_BYTES && at < rows.length) return { seqs, next: after ?? null };
    }
    if (rows.length < LOOK_ROWS) return { seqs, next: null };
    if (bytes >= PAGE_BYTES) break;
  }
  return { seqs, next: after ?? null };
}

interface Looked {
  /** Number of rows since the last scan ended. */
  looked: number;
  matching: Set<number>;
  /** Of the texts that were read. */
  bytes: number;
}

/** Which of the rows match: by the index, or by reading the texts in portions. */
async function* matchesAmong(
  pool: Pool,
  runId: number,
  seqs: number[],
  search: string,
): AsyncGenerator<Looked> {
  const { rows } = await pool.query<{ seq: number; indexed: boolean }>(
    `select seq, search is not null as indexed from item_texts
     where run_id = $1 and seq = any($3::bigint[]) and (search is null or search @@ ${QUERY})`,
    [runId, search, seqs],
  );
  const indexed = new Set(rows.flatMap((row) => (row.indexed ? [row.seq] : [])));
  const unsure = new Set(rows.flatMap((row) => (row.indexed ? [] : [row.seq])));
  const wanted = seqs.filter((seq) => unsure.has(seq));
  let at = 0;
  for await (const turn of textsInTurn(pool, runId, wanted, { characters: SEARCHED_CHARACTERS })) {
    const last = turn.seqs.at(-1);
    const end = last === undefined ? at : seqs.indexOf(last, at) + 1;
    const matching = await matchingTexts(pool, turn.texts, search);
    for (const seq of seqs.slice(at, end)) if (indexed.has(seq)) matching.add(seq);
    yield { looked: end - at, matching, bytes: turn.bytes };
    at = end;
  }
  yield { looked: seqs.length - at, matching: indexed, bytes: 0 };
}

async function matchingTexts(
  pool: Pool,
  texts: ReadonlyMap<number, string>,
  search: string,
): Promise<Set<number>> {
  const { rows } = await pool.query<{ seq: number }>(
    `select seq from unnest($1::bigint[], $2::text[]) as text (seq, words)
     where to_tsvector('simple', words) @@ websearch_to_tsquery('simple', $3)`,
    [int8Array([...texts.keys()]), textArray([...texts.values()].map(searchedWords)), search],
  );
  return new Set(rows.map(({ seq }) => seq));
}
