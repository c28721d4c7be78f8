import type { Pool } from '../connect.js';
import type { ScoredRun } from './items.js';
import { type ItemCursor, type OrderedQuery, rankedCursor, rowsInOrder } from './rows-in-order.js';
import { QUERY, searchedWords } from './search-texts.js';

/** As many matches are sorted; of more, the rows of the order are gone through until enough of them match. */
const SORTED_MATCHES = 5_000;
/** Rows of one look at the texts, and of one page in all. */
const LOOK_ROWS = 1_000;
const PAGE_ROWS = 20_000;

export interface FoundRows {
  seqs: number[];
  next: ItemCursor | null;
}

interface TextQuery extends OrderedQuery {
  search: string;
}

/**
 * Rows whose text has the words that are searched for, in the order that is asked for. Few matches come from the index,
 * sorted; many are found by going through the rows. So are those of a run that is not over, whose texts are in no index.
 */
export async function searchRows(pool: Pool, run: ScoredRun, query: TextQuery): Promise<FoundRows> {
  const { rows: asked } = await pool.query<{ words: number; indexed: boolean }>(
    `select numnode(websearch_to_tsquery('simple', $2)) as words, searchable_at is not null as indexed
     from runs where id = $1`,
    [run.id, query.search],
  );
  const [about] = asked;
  // A query without a word, such as one of signs only, finds nothing.
  if (about === undefined || about.words === 0) return { seqs: [], next: null };
  if (about.indexed) {
    const { rows } = await pool.query<{ seq: number }>(
      `select seq from item_texts where run_id = $1 and search is not null and search @@ ${QUERY} limit $3`,
      [run.id, query.search, SORTED_MATCHES + 1],
    );
    if (rows.length <= SORTED_MATCHES)
      return sortMatches(
        pool,
        run,
        query,
        rows.map(({ seq }) => seq),
      );
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
  for (let looked = 0; looked < PAGE_ROWS; looked += LOOK_ROWS) {
    const rows = await rowsInOrder(pool, run.id, { ...query, limit: LOOK_ROWS, after });
    const matching = await matchesAmong(
      pool,
      run.id,
      rows.map(({ seq }) => seq),
      query.search,
    );
    for (const row of rows) {
      after = row;
      if (!matching.has(row.seq)) continue;
      seqs.push(row.seq);
      if (seqs.length === query.limit) return { seqs, next: row };
    }
    if (rows.length < LOOK_ROWS) return { seqs, next: null };
  }
  return { seqs, next: after ?? null };
}

/** Those of the rows whose text matches, in the index or not. */
async function matchesAmong(pool: Pool, runId: number, seqs: number[], search: string): Promise<Set<number>> {
  const { rows } = await pool.query<{ seq: number; json: string | null }>(
    `select seq, case when search is null then json end as json from item_texts
     where run_id = $1 and seq = any($3::bigint[]) and (search is null or search @@ ${QUERY})`,
    [runId, search, seqs],
  );
  const found = new Set<number>();
  const unsure: { seq: number; words: string }[] = [];
  for (const { seq, json } of rows) {
    if (json === null) found.add(seq);
    else unsure.push({ seq, words: searchedWords(json) });
  }
  if (unsure.length === 0) return found;
  const { rows: matching } = await pool.query<{ seq: number }>(
    `select seq from unnest($1::bigint[], $2::text[]) as text (seq, words)
     where to_tsvector('simple', words) @@ websearch_to_tsquery('simple', $3)`,
    [unsure.map(({ seq }) => seq), unsure.map(({ words }) => words), search],
  );
  for (const { seq } of matching) found.add(seq);
  return found;
}
