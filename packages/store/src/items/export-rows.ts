import type { Pool } from '@tocsin/postgres';
import { withRetry } from '@tocsin/postgres';
import { textsInTurn } from './texts-in-turn.js';

/** A row of a run with its outcome: a score, an error or a reject reason. */
export interface ExportRow {
  seq: number;
  key: string;
  truncated: boolean;
  score: number | null;
  tokens: number | null;
  /** The content could not be scored. */
  error: string | null;
  /** The row could not be read. */
  reject: string | null;
  /** The item as JSON; null when texts were not requested, or it was not retained. */
  json: string | null;
}

export interface ExportOptions {
  /** Include retained texts. */
  texts?: boolean;
}

const PAGE_ROWS = 5_000;

/**
 * All rows of a run in corpus order, page by page. Pages with texts are limited to 1 MiB, or one row with a longer
 * text.
 */
export async function* exportRows(
  pool: Pool,
  runId: number,
  signal?: AbortSignal,
  { texts = false }: ExportOptions = {},
): AsyncGenerator<ExportRow[]> {
  for (let after = 0; ; ) {
    signal?.throwIfAborted();
    const page = await withRetry(() => exportPage(pool, runId, after), signal);
    const last = page.at(-1);
    if (last === undefined) return;
    if (texts) yield* withTexts(pool, runId, page, signal);
    else yield page;
    after = last.seq;
  }
}

async function* withTexts(
  pool: Pool,
  runId: number,
  page: readonly ExportRow[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ExportRow[]> {
  let from = 0;
  const seqs = page.map(({ seq }) => seq);
  for await (const turn of textsInTurn(pool, runId, seqs, { signal })) {
    const rows = page.slice(from, from + turn.seqs.length);
    yield rows.map((row) => ({ ...row, json: turn.texts.get(row.seq) ?? null }));
    from += turn.seqs.length;
  }
}

async function exportPage(pool: Pool, runId: number, after: number): Promise<ExportRow[]> {
  const { rows } = await pool.query<ExportRow>(
    `select i.seq, i.key, i.truncated, i.reject, s.score, s.tokens, s.error, null as json
     from items i
     join runs r on r.id = i.run_id
     -- One look-up a row, whatever the planner thinks of the size of the tables.
     left join lateral (select score, tokens, error from scores
                        where guard_id = r.guard_id and content = i.content limit 1) s on true
     where i.run_id = $1 and i.seq > $2
     order by i.seq
     limit $3`,
    [runId, after, PAGE_ROWS],
  );
  return rows;
}
