import type { Pool } from '@tocsin/postgres';
import { int8Array, withRetry } from '@tocsin/postgres';

/** Stored bytes of texts per step. Parsed and re-encoded rows take several times as much. */
const HELD_BYTES = 1024 * 1024;
/** Maximum bytes per character in UTF-8. */
const BYTES_PER_CHARACTER = 4;

/** Consecutive rows of the requested list, with the available texts. */
export interface TextsOfRows {
  seqs: number[];
  /** JSON by row number. */
  texts: Map<number, string>;
  /** Of the texts. */
  bytes: number;
}

export interface TextsOptions {
  /** Maximum characters of each text. */
  characters?: number;
  signal?: AbortSignal;
}

/**
 * The texts of a run's rows in the given order, in portions of up to 1 MiB of texts, or one row with a longer text. This
 * bounds memory whatever the texts' lengths.
 * @param seqs unique row numbers
 */
export async function* textsInTurn(
  pool: Pool,
  runId: number,
  seqs: readonly number[],
  { characters, signal }: TextsOptions = {},
): AsyncGenerator<TextsOfRows> {
  const sizes = await withRetry(() => sizesOf(pool, runId, seqs), signal);
  const most = characters === undefined ? Number.POSITIVE_INFINITY : characters * BYTES_PER_CHARACTER;
  const sizeOf = (seq: number): number => Math.min(sizes.get(seq) ?? 0, most);
  for (const { seqs: some, bytes } of cut(seqs, sizeOf)) {
    signal?.throwIfAborted();
    const kept = some.filter((seq) => sizes.has(seq));
    const texts = await withRetry(() => textsOf(pool, runId, kept, characters), signal);
    yield { seqs: some, texts, bytes };
  }
}

function cut(seqs: readonly number[], sizeOf: (seq: number) => number): { seqs: number[]; bytes: number }[] {
  const groups: { seqs: number[]; bytes: number }[] = [];
  for (const seq of seqs) {
    const last = groups.at(-1);
    const bytes = sizeOf(seq);
    if (last === undefined || last.bytes + bytes > HELD_BYTES) groups.push({ seqs: [seq], bytes });
    else {
      last.seqs.push(seq);
      last.bytes += bytes;
    }
  }
  return groups;
}

/** Bytes of each stored text. Postgres knows them without reading the text. */
async function sizesOf(pool: Pool, runId: number, seqs: readonly number[]): Promise<Map<number, number>> {
  if (seqs.length === 0) return new Map();
  const { rows } = await pool.query<{ seq: number; bytes: number }>(
    `select asked.seq, t.bytes
     from unnest($2::bigint[]) as asked (seq)
     -- One look-up a row, whatever the planner thinks of the size of the table.
     cross join lateral (select octet_length(json) as bytes from item_texts
                         where run_id = $1 and item_texts.seq = asked.seq limit 1) t`,
    [runId, int8Array(seqs)],
  );
  return new Map(rows.map(({ seq, bytes }) => [seq, bytes]));
}

async function textsOf(
  pool: Pool,
  runId: number,
  seqs: readonly number[],
  characters: number | undefined,
): Promise<Map<number, string>> {
  if (seqs.length === 0) return new Map();
  const { rows } = await pool.query<{ seq: number; json: string }>(
    `select asked.seq, t.json
     from unnest($2::bigint[]) as asked (seq)
     cross join lateral (select ${characters === undefined ? 'json' : 'left(json, $3) as json'} from item_texts
                         where run_id = $1 and item_texts.seq = asked.seq limit 1) t`,
    [runId, int8Array(seqs), ...(characters === undefined ? [] : [characters])],
  );
  return new Map(rows.map(({ seq, json }) => [seq, json]));
}
