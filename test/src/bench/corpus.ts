import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenGuard, Preparation } from '@tocsin/engine';

/** A row of the benchmark corpus: always a text. */
interface BenchRow {
  id: string;
  text: string;
}

/**
 * Token lengths of a mixed corpus (tweets, prompts, chats, long sessions; cut at 512), as 41 quantiles. Random texts of
 * these lengths replace it when no corpus file is given.
 */
const LENGTH_QUANTILES = [
  1, 1, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 22, 23, 27, 29, 31, 35, 38, 40, 44, 50, 52, 60, 67, 75,
  84, 91, 106, 121, 132, 158, 186, 234, 294, 452, 512, 512,
];

/** Words of about one token each in byte-level vocabularies. */
const WORDS =
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years where much your way down should because long each just state those people too mr how little good world make very year still see own work men day get here between both life being under three never know same last another while us might great'.split(
    ' ',
  );

/** The first `limit` rows of a corpus file; without one, as many random rows with the same distribution of lengths. */
export async function benchCorpus(file: string | undefined, limit: number): Promise<BenchRow[]> {
  return file === undefined ? syntheticRows(limit) : fileRows(file, limit);
}

async function fileRows(file: string, limit: number): Promise<BenchRow[]> {
  const lines = (await readFile(file, 'utf8'))
    .split('\n')
    .filter((text) => text !== '')
    .slice(0, limit);
  return lines.map((text, i) => {
    const row = JSON.parse(text) as { id?: string; text?: string; prompt?: string; response?: string };
    const parts = [row.text, row.prompt, row.response].filter((part) => part !== undefined && part !== '');
    return { id: String(row.id ?? i + 1), text: parts.join('\n') };
  });
}

function syntheticRows(count: number): BenchRow[] {
  const random = randomFrom(42);
  return Array.from({ length: count }, (_, i) => {
    const at = random() * (LENGTH_QUANTILES.length - 1);
    const low = LENGTH_QUANTILES[Math.floor(at)] ?? 1;
    const high = LENGTH_QUANTILES[Math.ceil(at)] ?? low;
    const length = Math.max(1, Math.round(low + (high - low) * (at % 1)));
    const text = Array.from({ length }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
    return { id: `row-${i}`, text };
  });
}

/** Unique messages of about 15 tokens. */
export function* shortRows(count: number): Generator<BenchRow> {
  const random = randomFrom(11);
  for (let i = 0; i < count; i++) {
    yield { id: `r${i}`, text: `message ${i}: see you at ${Math.floor(random() * 24)} o'clock` };
  }
}

/** mulberry32: a seeded random generator. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Writes rows as JSONL. */
export async function writeCorpus(dir: string, rows: Iterable<BenchRow>, name = 'corpus'): Promise<string> {
  const path = join(dir, `${name}.jsonl`);
  const handle = await open(path, 'w');
  let block = '';
  for (const row of rows) {
    block += `${JSON.stringify(row)}\n`;
    if (block.length > 1 << 20) {
      await handle.writeFile(block);
      block = '';
    }
  }
  await handle.writeFile(block);
  await handle.close();
  return path;
}

/** The distinct contents of texts as token ids, in order of first occurrence. */
export async function distinctContents(guard: OpenGuard, texts: string[]): Promise<Int32Array[]> {
  return [...new Map((await contentsOf(guard, texts)).map(({ key, ids }) => [key, ids])).values()];
}

/** The text that the guard reads. */
export async function tokenIdsOf(guard: OpenGuard, texts: string[]): Promise<Int32Array[]> {
  return (await contentsOf(guard, texts)).map(({ ids }) => ids);
}

async function contentsOf(guard: OpenGuard, texts: string[]): Promise<{ key: string; ids: Int32Array }[]> {
  const preparation = await Preparation.open(guard);
  return (await preparation.contentsOf(texts)).map((content) => {
    if (content instanceof Error) throw content;
    return { key: content.hash.toString('hex'), ids: content.tokenIds };
  });
}

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
