import { UserError } from '@tocsin/core';
import { STDIN, sourceName } from '../sources/source-name.js';

const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MB = 1024 * 1024;
/** The largest window that zstd can read. */
export const LARGEST_WINDOW_BYTES = 2 ** 31;
const RLE_BLOCK = 1;

/** What the next bytes belong to. */
type Place =
  | 'magic'
  | 'skippable size'
  | 'skippable data'
  | 'descriptor'
  | 'header'
  | 'block header'
  | 'block'
  | 'checksum';

/** Bytes of one frame. */
export interface FramePart {
  bytes: Buffer;
  /** Whether the frame is empty. */
  skippable: boolean;
  /** Whether the frame ends with them. */
  last: boolean;
  /** On the last part: the low 32 bits of the content's XXH64, if present. */
  checksum: number | undefined;
}

/** Splits a zstd stream into frames (RFC 8878, 3.1), without decompressing. */
export class ZstdFrames {
  readonly #source: string;
  readonly #maxWindowBytes: number;
  #place: Place = 'magic';
  #left = 4;
  #head: Buffer = Buffer.alloc(0);
  #descriptor = 0;
  #lastBlock = false;
  #skippable = false;
  #checksum: number | undefined;

  /**
   * @param source named in errors
   * @param maxWindowBytes larger windows throw a `UserError`
   */
  constructor(source: string, maxWindowBytes: number) {
    this.#source = source;
    this.#maxWindowBytes = maxWindowBytes;
  }

  /** True between two frames. */
  get whole(): boolean {
    return this.#place === 'magic' && this.#head.length === 0;
  }

  /** The parts of this chunk. @throws RangeError for bytes that do not start a frame */
  *push(chunk: Buffer): Generator<FramePart, void, undefined> {
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      const taken = chunk.subarray(at, at + this.#left);
      at += taken.length;
      this.#left -= taken.length;
      if (this.#place !== 'block' && this.#place !== 'skippable data') {
        this.#head = Buffer.concat([this.#head, taken]);
      }
      if (!this.#advance()) continue;
      yield {
        bytes: chunk.subarray(from, at),
        skippable: this.#skippable,
        last: true,
        checksum: this.#checksum,
      };
      from = at;
      this.#checksum = undefined;
      this.#skippable = false;
    }
    if (from < chunk.length) {
      yield { bytes: chunk.subarray(from), skippable: this.#skippable, last: false, checksum: undefined };
    }
  }

  /** Advances to the next element; true at the end of a frame. */
  #advance(): boolean {
    while (this.#left === 0) {
      const head = this.#head;
      this.#head = Buffer.alloc(0);
      if (this.#after(head)) return true;
    }
    return false;
  }

  #after(head: Buffer): boolean {
    switch (this.#place) {
      case 'magic': {
        const magic = head.readUInt32LE(0);
        this.#skippable = (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
        if (this.#skippable) return this.#expect('skippable size', 4);
        if (magic !== ZSTD_MAGIC) throw new RangeError('data after the last frame is not a frame');
        return this.#expect('descriptor', 1);
      }
      case 'skippable size':
        return this.#expect('skippable data', head.readUInt32LE(0));
      case 'descriptor':
        this.#descriptor = head.readUInt8(0);
        return this.#expect('header', headerBytes(this.#descriptor));
      case 'header':
        this.#checkWindow(head);
        return this.#expect('block header', 3);
      case 'block header': {
        const value = head.readUIntLE(0, 3);
        this.#lastBlock = (value & 1) === 1;
        return this.#expect('block', ((value >> 1) & 3) === RLE_BLOCK ? 1 : value >> 3);
      }
      case 'block':
        if (!this.#lastBlock) return this.#expect('block header', 3);
        if ((this.#descriptor & 4) !== 0) return this.#expect('checksum', 4);
        return this.#end();
      case 'checksum':
        this.#checksum = head.readUInt32LE(0);
        return this.#end();
      case 'skippable data':
        return this.#end();
    }
  }

  #expect(place: Place, bytes: number): false {
    this.#place = place;
    this.#left = bytes;
    return false;
  }

  #end(): true {
    this.#expect('magic', 4);
    return true;
  }

  #checkWindow(header: Buffer): void {
    const bytes = windowBytes(this.#descriptor, header);
    if (bytes <= this.#maxWindowBytes) return;
    const name = sourceName(this.#source);
    const file = this.#source === STDIN ? 'FILE' : name;
    throw new UserError(
      `${name} cannot be read: its zstd window of ${Math.ceil(bytes / MB)} MB exceeds the limit of ${Math.floor(this.#maxWindowBytes / MB)} MB in Node ${process.versions.node}`,
      {
        hint: `${this.#maxWindowBytes < LARGEST_WINDOW_BYTES ? 'Use Node 22.15 or newer, or decompress' : 'Decompress'} it: zstd -dc --long=31 ${file} | tocsin score -`,
      },
    );
  }
}

const isSingleSegment = (descriptor: number): boolean => (descriptor & 0x20) !== 0;
const dictionaryBytes = (descriptor: number): number => [0, 1, 2, 4][descriptor & 3] ?? 0;

function sizeBytes(descriptor: number): number {
  return [isSingleSegment(descriptor) ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
}

/** Bytes of a frame's header after its descriptor. */
function headerBytes(descriptor: number): number {
  return (isSingleSegment(descriptor) ? 0 : 1) + dictionaryBytes(descriptor) + sizeBytes(descriptor);
}

function windowBytes(descriptor: number, header: Buffer): number {
  if (!isSingleSegment(descriptor)) {
    const window = header.readUInt8(0);
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // The window is the whole content.
  const at = dictionaryBytes(descriptor);
  const bytes = sizeBytes(descriptor);
  return bytes === 8
    ? Number(header.readBigUInt64LE(at))
    : header.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
