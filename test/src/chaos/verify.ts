import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Pool } from '@tocsin/postgres';
import { type ExportRow, exportRows } from '@tocsin/store';
import type { ScoreLine } from '../setup/tocsin.js';
import type { Corpus } from './corpora.js';

/** Tolerance for scores: other rows in a batch change the last digits, as in the golden tests. */
const SAME = 1e-6;

/** Violations found after a run. */
export interface Findings {
  rows: number;
  rejected: number;
  /** Rows with the poison's error, as expected. */
  poisoned: number;
  /** Rows without an outcome. */
  lost: number;
  /** Additional outcomes of rows, and contents with more than one score. */
  doubled: number;
  /** Rows whose outcome differs from the undisturbed run, by key and described. */
  different: string[];
  /** Pending contents that no parcel will score. */
  claims: number;
  /** Unfinished parcels. */
  parcelsLeft: number;
}

/** Compares the outcomes of runs with the undisturbed run of the same files, and looks for leftovers. */
export async function verify(
  pool: Pool,
  corpora: readonly Corpus[],
  runs: readonly number[],
  undisturbed: readonly ScoreLine[],
): Promise<Findings> {
  const found: Findings = {
    rows: 0,
    rejected: 0,
    poisoned: 0,
    lost: 0,
    doubled: 0,
    different: [],
    claims: 0,
    parcelsLeft: 0,
  };
  for (const [i, corpus] of corpora.entries()) {
    const expected = undisturbed.slice(found.rows, found.rows + corpus.rows);
    const rows: ExportRow[] = [];
    for await (const page of exportRows(pool, runs[i] ?? 0)) rows.push(...page);
    compare(corpus, rows, expected, found);
    found.rows += corpus.rows;
  }
  return {
    ...found,
    ...(await leftBehind(pool)),
    doubled: found.doubled + (await scoredTwice(pool)),
  };
}

function compare(
  { file, poisoned }: Corpus,
  rows: readonly ExportRow[],
  expected: readonly ScoreLine[],
  found: Findings,
): void {
  const outcomes = new Map<string, ExportRow[]>();
  for (const row of rows) outcomes.set(row.key, [...(outcomes.get(row.key) ?? []), row]);
  for (const line of expected) {
    // With several files, a line without an id is named after its own file.
    const key = line.key.replace(`${basename(file)}:`, '');
    const [outcome, ...more] = outcomes.get(key) ?? [];
    found.doubled += more.length;
    if (outcome === undefined || (outcome.score === null && errorOf(outcome) === null)) found.lost++;
    else if (key === poisoned) {
      if (/^the engine process died/.test(outcome.error ?? '')) found.poisoned++;
      else found.different.push(`${key}: ${textOf(outcome)}, expected the death of the engine process`);
    } else if (!isSame(outcome, line)) {
      found.different.push(`${key}: ${textOf(outcome)}, expected ${line.score ?? line.error}`);
    } else if (outcome.reject !== null) found.rejected++;
  }
}

const errorOf = ({ error, reject }: ExportRow): string | null => reject ?? error;
const textOf = (row: ExportRow): string => String(row.score ?? errorOf(row));

const isSame = (row: ExportRow, { score, error }: ScoreLine): boolean =>
  score === undefined
    ? row.score === null && errorOf(row) === error
    : row.score !== null && Math.abs(row.score - score) <= SAME;

async function leftBehind(pool: Pool): Promise<{ claims: number; parcelsLeft: number }> {
  const { rows } = await pool.query<{ claims: number; parcelsLeft: number }>(
    `select (select count(*) from scores where score is null and error is null) as claims,
            (select count(*) from parcels where state = 'waiting') as "parcelsLeft"`,
  );
  const [left] = rows;
  if (left === undefined) throw new Error('an aggregate returned no row');
  return left;
}

async function scoredTwice(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ more: number }>(
    `select count(*) - count(distinct (guard_id, content)) as more from scores`,
  );
  return rows[0]?.more ?? 0;
}

/** What the engine processes scored, by their witnesses. */
export interface Passes {
  /** Completed forward passes. */
  passes: number;
  /** Passes whose contents all had a score from an earlier pass. */
  rerun: number;
  /** Scored contents, with repetitions. */
  scored: number;
  /** The repetitions among them. */
  scoredAgain: number;
}

/** @param contents hashes of the expected contents, in hex: others were scored for calibration */
export async function readPasses(dir: string, contents: ReadonlySet<string>): Promise<Passes> {
  const seen = new Set<string>();
  const counts = { passes: 0, rerun: 0, scored: 0, scoredAgain: 0 };
  for (const name of await readdir(dir)) {
    // The last line of a killed process may be truncated.
    const lines = (await readFile(join(dir, name), 'utf8')).split('\n').slice(0, -1);
    for (const line of lines) {
      const scored = line.split(' ').filter((content) => contents.has(content));
      if (scored.length === 0) continue;
      const again = scored.filter((content) => seen.has(content)).length;
      counts.passes++;
      if (again === scored.length) counts.rerun++;
      counts.scored += scored.length;
      counts.scoredAgain += again;
      for (const content of scored) seen.add(content);
    }
  }
  return counts;
}
