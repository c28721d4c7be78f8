/** A piece of a text, in UTF-16 units as JavaScript counts them: from `start` up to `end`. */
export interface Span {
  start: number;
  end: number;
}

/** A text that was made out of another, and knows which piece of that one each of its characters stands for. */
export class AlignedText {
  readonly text: string;
  /** For each UTF-16 unit of `text`: where its piece of the original begins and ends. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  private constructor(text: string, starts: Uint32Array, ends: Uint32Array) {
    this.text = text;
    this.#starts = starts;
    this.#ends = ends;
  }

  /** A text that is its own original. */
  static of(text: string): AlignedText {
    const units = Uint32Array.from({ length: text.length }, (_, i) => i);
    return new AlignedText(
      text,
      units,
      units.map((i) => i + 1),
    );
  }

  /** A text each of whose characters stands for the whole of `original`. */
  static standingFor(original: string, text: string): AlignedText {
    return new AlignedText(
      text,
      new Uint32Array(text.length),
      new Uint32Array(text.length).fill(original.length),
    );
  }

  /** As `String.replace` with a global expression; the replacement stands for what it replaces. */
  replace(what: RegExp, by: string): AlignedText {
    const parts: AlignedText[] = [];
    let last = 0;
    for (const match of this.text.matchAll(what)) {
      const end = match.index + match[0].length;
      parts.push(this.slice(last, match.index), this.#replacement(match.index, end, by));
      last = end;
    }
    return last === 0 ? this : AlignedText.joined([...parts, this.slice(last, this.text.length)]);
  }

  slice(start: number, end: number): AlignedText {
    return new AlignedText(
      this.text.slice(start, end),
      this.#starts.subarray(start, end),
      this.#ends.subarray(start, end),
    );
  }

  /** The piece of the original that a piece of this text stands for. */
  originOf({ start, end }: Span): Span {
    const first = this.#starts[start] ?? this.#ends.at(-1) ?? 0;
    return { start: first, end: end > start ? (this.#ends[end - 1] ?? first) : first };
  }

  #replacement(start: number, end: number, by: string): AlignedText {
    const origin = this.originOf({ start, end });
    return new AlignedText(
      by,
      new Uint32Array(by.length).fill(origin.start),
      new Uint32Array(by.length).fill(origin.end),
    );
  }

  static joined(parts: readonly AlignedText[]): AlignedText {
    const text = parts.map((part) => part.text).join('');
    const starts = new Uint32Array(text.length);
    const ends = new Uint32Array(text.length);
    let at = 0;
    for (const part of parts) {
      starts.set(part.#starts, at);
      ends.set(part.#ends, at);
      at += part.text.length;
    }
    return new AlignedText(text, starts, ends);
  }
}
