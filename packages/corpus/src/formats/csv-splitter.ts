const LF = 0x0a;
const CR = 0x0d;
const DOUBLE_QUOTE = 0x22;
export const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

export interface CsvRecord {
  /** 1-based number of its first line. */
  line: number;
  /** Length in bytes, without the record terminator. */
  length: number;
  /** The record without its terminator; undefined when it exceeds the limit. */
  bytes: Buffer | undefined;
  /** Whether it may contain an empty quoted field. */
  emptyQuotes: boolean;
  /** What is wrong with its quotes. */
  fault: string | undefined;
  /** Whether its quotes enclose fields; otherwise they are plain characters. */
  quoting: boolean;
  /** Number of lines it spans. */
  lines: number;
  /** Whether its lines look like separate records: nearly all have the header's number of fields, ignoring quotes. */
  shaped: boolean;
}

/** If this many lines of one record look like separate records, stop waiting for the closing quote. */
const RUNAWAY_LINES = 100;

/** The parser state. */
type Place =
  | 'start of a field'
  | 'field'
  | 'opened'
  | 'quoted'
  | 'escaped'
  | 'after a quote'
  | 'before a line feed'
  | 'after a fault';

/**
 * Splits a stream of bytes into CSV records (RFC 4180): a record ends at LF or CR LF outside quotes. A quote opens only at
 * the start of a field; elsewhere in a field it is a plain character. A closing quote must be followed by the delimiter or
 * the end of the record; otherwise the record is faulty and ends with its line, so that no other record is lost.
 * A record over the limit is counted but not kept.
 */
export class CsvSplitter {
  /** First line of the next record. */
  line = 1;
  /** False: quotes are plain characters. May change between records. */
  quoting = true;
  /** Whether a backslash within quotes escapes the next byte. */
  escaping = false;
  /** Code of the quote character. */
  quote = DOUBLE_QUOTE;
  /** Whether a quote that spans very many record-like lines is a fault at once. */
  impatient = false;
  /** Expected fields per record; 0 when unknown. */
  fields = 0;
  readonly #delimiter: number;
  readonly #maxBytes: number;
  #place: Place = 'start of a field';
  #emptyQuotes = false;
  #lines = 0;
  #shapedLines = 0;
  #delimiters = 0;
  #parts: Buffer[] = [];
  #length = 0;
  #last = 0;

  /** @param delimiter ASCII code */
  constructor(delimiter: number, maxBytes: number) {
    this.#delimiter = delimiter;
    this.#maxBytes = maxBytes;
  }

  /** The records that end in this chunk. */
  *push(chunk: Buffer): Generator<CsvRecord, void, undefined> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === LF) {
        this.#endLine();
        if (this.#inQuotes() && !this.#isRunaway()) {
          this.#place = 'quoted';
          continue;
        }
        yield this.#take(chunk.subarray(from, at));
        from = at + 1;
      } else {
        if (byte === this.#delimiter) this.#delimiters += 1;
        if (this.quoting && this.#place !== 'after a fault') this.#place = this.#after(byte);
      }
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** The last record, if it has no terminator. */
  *end(): Generator<CsvRecord, void, undefined> {
    if (this.#length === 0) return;
    if (this.#last !== LF) this.#endLine();
    yield this.#take(Buffer.alloc(0));
  }

  #endLine(): void {
    this.#lines += 1;
    if (this.#delimiters + 1 === this.fields) this.#shapedLines += 1;
    this.#delimiters = 0;
  }

  #isRunaway(): boolean {
    return this.impatient && this.#lines >= RUNAWAY_LINES && this.#isShaped();
  }

  #isShaped(): boolean {
    return this.#shapedLines * 4 >= this.#lines * 3;
  }

  #after(byte: number): Place {
    switch (this.#place) {
      case 'opened':
        if (byte === this.quote) this.#emptyQuotes = true;
        return this.#inside(byte);
      case 'quoted':
        return this.#inside(byte);
      case 'escaped':
        return 'quoted';
      case 'after a quote':
        if (byte === this.quote) return 'quoted';
        if (byte === this.#delimiter) return 'start of a field';
        return byte === CR ? 'before a line feed' : 'after a fault';
      case 'before a line feed':
        return 'after a fault';
      case 'start of a field':
        if (byte === this.quote) return 'opened';
        return byte === this.#delimiter ? 'start of a field' : 'field';
      default:
        return byte === this.#delimiter ? 'start of a field' : this.#place;
    }
  }

  #inside(byte: number): Place {
    if (byte === this.quote) return 'after a quote';
    return this.escaping && byte === BACKSLASH ? 'escaped' : 'quoted';
  }

  #inQuotes(): boolean {
    return this.#place === 'quoted' || this.#place === 'opened' || this.#place === 'escaped';
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    this.#last = part[part.length - 1] ?? 0;
    if (this.#length > this.#maxBytes + 1) this.#parts = [];
    else this.#parts.push(part);
  }

  #take(tail: Buffer): CsvRecord {
    const last = tail.length > 0 ? tail[tail.length - 1] : this.#last;
    const total = this.#length + tail.length;
    const length = total > 0 && last === CR && !this.#inQuotes() ? total - 1 : total;
    let bytes: Buffer | undefined;
    if (length <= this.#maxBytes) bytes = Buffer.concat([...this.#parts, tail], total).subarray(0, length);
    const record = {
      line: this.line,
      length,
      bytes,
      emptyQuotes: this.#emptyQuotes,
      fault: this.#fault(),
      quoting: this.quoting,
      lines: this.#lines,
      shaped: this.#isShaped(),
    };
    this.line += this.#lines;
    this.#lines = 0;
    this.#shapedLines = 0;
    this.#place = 'start of a field';
    this.#emptyQuotes = false;
    this.#parts = [];
    this.#length = 0;
    return record;
  }

  #fault(): string | undefined {
    if (this.#inQuotes()) return 'a quote is never closed';
    return this.#place === 'after a fault' ? 'a closing quote is not at the end of its field' : undefined;
  }
}
