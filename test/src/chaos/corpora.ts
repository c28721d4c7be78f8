import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POISON } from '../setup/poisoned-backbone.js';
import { randomFrom, randomRows } from '../setup/random-words.js';

/** One row in so many repeats an earlier one, of its own corpus or of another. */
const REPEATED = 8;
/** One row in so many cannot be read. */
const MALFORMED = 150;

/** Lines that are no rows to be scored. */
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
  /** The key of its row that kills the engine process, if it has one. */
  poisoned: string | undefined;
}

export interface CorporaOptions {
  rows: number;
  /** Words of the longest row. */
  longest: number;
  /** Files that the rows are in: submits, and so runs. */
  files: number;
  /** How many of the files hold a row that kills the engine process. */
  poisoned: number;
  seed: number;
}

/** Writes files of mild rows: some repeat others, some cannot be read. */
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
