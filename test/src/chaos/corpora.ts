import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POISON } from '../setup/poisoned-backbone.js';
import { randomFrom, randomRows } from '../setup/random-words.js';

/** One row in this many repeats an earlier one, of the same corpus or of another. */
const REPEATED = 8;
/** One row in this many is unreadable. */
const MALFORMED = 150;

/** Invalid lines. */
const BROKEN: ((id: string) => string)[] = [
  () => 'not JSON',
  (id) => `{"id":"${id}","text":"no end`,
  () => '["a list"]',
  (id) => `{"id":"${id}","body":"x"}`,
  (id) => `{"id":"${id}","text":5}`,
];

export interface Corpus {
  file: string;
  rows: number;
  /** The key of its row that kills the engine process, if any. */
  poisoned: string | undefined;
}

export interface CorporaOptions {
  rows: number;
  /** Words of the longest row. */
  longest: number;
  /** Number of files, each one submission and one run. */
  files: number;
  /** Number of files with a row that kills the engine process. */
  poisoned: number;
  seed: number;
}

/** Writes files of mild rows with some duplicates and some unreadable rows. */
export async function writeCorpora(dir: string, options: CorporaOptions): Promise<Corpus[]> {
  const { files, seed } = options;
  const random = randomFrom(seed);
  const texts = randomRows(options.rows, options.longest, seed).map(({ text }) => text);
  const rowsPerFile = Math.ceil(options.rows / files);
  const corpora: Corpus[] = [];
  for (let from = 0; from < texts.length; from += rowsPerFile) {
    const own = texts.slice(from, from + rowsPerFile);
    const poisonAt = corpora.length < options.poisoned ? random(own.length) : undefined;
    const lines = own.map((text, i) => {
      const id = `row-${from + i}`;
      if (i === poisonAt) return JSON.stringify({ id, text: `${text}${POISON}` });
      if (random(MALFORMED) === 0) return BROKEN[random(BROKEN.length)]?.(id);
      const repeats = from + i > 0 && random(REPEATED) === 0;
      return JSON.stringify({ id, text: repeats ? texts[random(from + i)] : text });
    });
    const file = join(dir, `corpus-${corpora.length}.jsonl`);
    await writeFile(file, `${lines.join('\n')}\n`);
    corpora.push({
      file,
      rows: own.length,
      poisoned: poisonAt === undefined ? undefined : `row-${from + poisonAt}`,
    });
  }
  return corpora;
}
