import { type BenchRow, benchCorpus, shortRows, writeCorpus } from '../corpus.js';

/** A corpus file and its description. */
export interface FleetCorpus {
  title: string;
  file: string;
  rows: number;
}

const KINDS = {
  short: { title: 'short rows (about 15 tokens)', rowsOf: shortRows },
  /** The same as in the starter guard's benchmark. */
  mixed: {
    title: 'mixed rows (1 to 512 tokens, 86 on average)',
    rowsOf: (count: number) => benchCorpus(undefined, count),
  },
  longest: { title: 'rows of 512 tokens', rowsOf: longestRows },
} as const satisfies Record<
  string,
  { title: string; rowsOf: (count: number) => Iterable<BenchRow> | Promise<Iterable<BenchRow>> }
>;

export type CorpusKind = keyof typeof KINDS;

export async function fleetCorpus(dir: string, kind: CorpusKind, rows: number): Promise<FleetCorpus> {
  const { title, rowsOf } = KINDS[kind];
  return { title, file: await writeCorpus(dir, await rowsOf(rows), kind), rows };
}

/** Longer than the guard's limit: each is truncated to 512 tokens. */
function* longestRows(count: number): Generator<BenchRow> {
  for (let i = 0; i < count; i++) yield { id: `l${i}`, text: `row ${i}: ${'and so on '.repeat(200)}` };
}
