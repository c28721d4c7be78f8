const LF = 0x0a;
const CR = 0x0d;

export interface Line {
  /** 1-based. */
  number: number;
  /** Length in bytes, without the line end. */
  length: number;
  /** The line without its end; undefined when it exceeds the limit. Valid until the next call. */
  bytes: Buffer | undefined;
}

/**
 * Splits a stream of bytes into lines: a line ends at LF or CR LF, and bytes after the last LF are a line, too. A line over
 * the limit is counted but not kept, so memory is bounded by the limit and one chunk.
 */
export class LineSplitter {
  /** Lines yielded so far. */
  lines = 0;
  readonly #maxLineBytes: number;
  #parts: Buffer[] = [];
  #length = 0;
  #last = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let from = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      const tail = chunk.subarray(from, at);
      from = at + 1;
      yield this.#take(tail, true);
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** The last line, if it has no LF. */
  *end(): Generator<Line, void, undefined> {
    if (this.#length > 0) yield this.#take(Buffer.alloc(0), false);
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    this.#last = part[part.length - 1] ?? 0;
    // One byte over the limit may still be the CR of the line end.
    if (this.#length > this.#maxLineBytes + 1) this.#parts = [];
    else this.#parts.push(part);
  }

  #take(tail: Buffer, ended: boolean): Line {
    const last = tail.length > 0 ? tail[tail.length - 1] : this.#last;
    const total = this.#length + tail.length;
    const length = ended && total > 0 && last === CR ? total - 1 : total;
    let bytes: Buffer | undefined;
    if (length <= this.#maxLineBytes) {
      const whole = this.#parts.length === 0 ? tail : Buffer.concat([...this.#parts, tail], total);
      bytes = length === whole.length ? whole : whole.subarray(0, length);
    }
    this.#parts = [];
    this.#length = 0;
    this.lines += 1;
    return { number: this.lines, length, bytes };
  }
}

/** Whether a line is blank (ASCII white space only). */
export function isBlank(bytes: Buffer): boolean {
  // An index loop, because it nearly always stops at the first byte and an iterator would cost more.
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) return false;
  }
  return true;
}
