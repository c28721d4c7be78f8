import { CHAT_MARKER, CHAT_MARKERS, collapseRuns } from './clean-text.js';
import { pythonLstrip, pythonRstrip } from './python-strip.js';

const LONGEST_MARKER = Math.max(...CHAT_MARKERS.map((marker) => marker.length));
/** Every beginning of a marker that is not the whole marker. */
const BEGINNINGS = new Set(
  CHAT_MARKERS.flatMap((marker) =>
    Array.from({ length: marker.length - 1 }, (_, i) => marker.slice(0, i + 1)),
  ),
);
/** Runs in a cleaned text are at most so long: "\n\n". */
const LONGEST_RUN = 2;

/** A text that is cleaned as it grows: each part once. Immutable. */
export class GrowingText {
  static readonly empty = new GrowingText('', 0, '');
  /** Cleaned, but for white space at its end, which more text may separate from the end. */
  readonly #cleaned: string;
  /** Length of `#cleaned` without that white space. */
  readonly #stripped: number;
  /** What follows, if it is the beginning of a marker that more text may complete. */
  readonly #open: string;

  private constructor(cleaned: string, stripped: number, open: string) {
    this.#cleaned = cleaned;
    this.#stripped = stripped;
    this.#open = open;
  }

  /** The same as `cleanText` of all parts together. */
  get text(): string {
    // Markers hold no white space: before their beginnings nothing is stripped.
    if (this.#open !== '') return this.#cleaned + this.#open;
    return this.#cleaned.slice(0, this.#stripped) || ' ';
  }

  add(part: string): GrowingText {
    const given = this.#open + part;
    const open = startOfOpen(given);
    const replaced = given.slice(0, open).replace(CHAT_MARKER, ' ');
    const kept = Math.max(0, this.#cleaned.length - LONGEST_RUN);
    const end = collapseRuns(this.#cleaned.slice(kept) + replaced);
    const cleaned = this.#cleaned === '' ? pythonLstrip(end) : this.#cleaned.slice(0, kept) + end;
    const solid = pythonRstrip(cleaned.slice(kept)).length;
    return new GrowingText(cleaned, solid === 0 ? this.#stripped : kept + solid, given.slice(open));
  }
}

/** Where the beginning of a marker starts that reaches to the text's end; the text's length if there is none. */
function startOfOpen(text: string): number {
  let start = Math.max(0, text.length - LONGEST_MARKER + 1);
  for (const { index, 0: marker } of text.matchAll(CHAT_MARKER)) {
    const end = index + marker.length;
    for (; start < Math.min(index, text.length); start++) if (BEGINNINGS.has(text.slice(start))) return start;
    start = Math.max(start, end);
  }
  for (; start < text.length; start++) if (BEGINNINGS.has(text.slice(start))) return start;
  return text.length;
}
