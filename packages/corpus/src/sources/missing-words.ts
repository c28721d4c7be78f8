import type { CorpusRow } from '../rows/row.js';
import { count } from '../rows/wording.js';

/** What pandas, R, spreadsheets and programs write for a value that is missing. */
const WORDS = new Set('NaN nan null NULL Null None NA <NA> N/A n/a #N/A NaT undefined'.split(' '));

/** Counts rows whose text may stand for a missing value. They are scored: the word may be what was written. */
export class MissingWords {
  readonly #words = new Set<string>();
  #rows = 0;
  #first = '';

  see(row: CorpusRow): void {
    if (row.kind !== 'item' || 'messages' in row.content) return;
    const found = Object.values(row.content).filter((part) => WORDS.has(part));
    if (found.length === 0) return;
    this.#rows += 1;
    this.#first ||= `${row.unit ?? 'line'} ${count(row.line)}`;
    for (const word of found) this.#words.add(word);
  }

  get notice(): string | undefined {
    if (this.#rows === 0) return undefined;
    const words = [...this.#words].map((word) => JSON.stringify(word)).join(', ');
    const rows = this.#rows === 1 ? '1 row has' : `${count(this.#rows)} rows have`;
    return `${rows} a text that is only ${words} (first: ${this.#first}), scored as written. If it means that the value is missing, leave the field empty or the row out: in pandas, df.dropna(subset=["text"]) before astype(str).`;
  }
}
