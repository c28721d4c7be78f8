import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { PlacedTensor } from '../checkpoint/weight-source.js';
import { FLOAT_BYTES, type FloatType } from './encode-floats.js';

/** A tensor that a file is going to hold. */
export interface TensorSpec {
  name: string;
  dtype: FloatType | 'U8';
  shape: readonly number[];
}

/** Readers map the file: data that starts at a multiple of this can be used where it lies. */
const DATA_ALIGNMENT = 64;
const BYTES: Record<TensorSpec['dtype'], number> = { ...FLOAT_BYTES, U8: 1 };

/** A safetensors file that is written bit by bit, any of its tensors at any time. */
export class TensorFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #placed: Map<string, PlacedTensor>;
  readonly #written = new Map<string, number>();

  private constructor(file: string, handle: FileHandle, placed: Map<string, PlacedTensor>) {
    this.#file = file;
    this.#handle = handle;
    this.#placed = placed;
  }

  /** Begins a file that will hold these tensors. */
  static async create(file: string, specs: readonly TensorSpec[]): Promise<TensorFile> {
    // Wide types first: then each tensor starts at a multiple of its own element.
    const sorted = specs.toSorted((a, b) => BYTES[b.dtype] - BYTES[a.dtype]);
    let end = 0;
    const entries = sorted.map(({ name, dtype, shape }) => {
      const begin = end;
      end += shape.reduce((product, size) => product * size, BYTES[dtype]);
      return { name, dtype, shape, begin, end };
    });
    const head = headOf(entries);
    const location = basename(file);
    const placed = entries.map(({ name, dtype, shape, begin, end }): [string, PlacedTensor] => [
      name,
      { dtype, shape, location, offset: head.length + begin, byteLength: end - begin },
    ]);
    const handle = await open(file, 'w');
    const writer = new TensorFile(file, handle, new Map(placed));
    await writer.#write(head, 0);
    return writer;
  }

  /** The next bytes of a tensor. */
  async append(name: string, bytes: Uint8Array): Promise<void> {
    const { offset, byteLength } = this.placed(name);
    const written = this.#written.get(name) ?? 0;
    if (written + bytes.length > byteLength) throw new Error(`more bytes for ${name} than were planned`);
    await this.#write(bytes, offset + written);
    this.#written.set(name, written + bytes.length);
  }

  /** Where a tensor is in the file. */
  placed(name: string): PlacedTensor {
    const placed = this.#placed.get(name);
    if (placed === undefined) throw new Error(`${this.#file} was not planned to hold ${name}`);
    return placed;
  }

  /** Ends the file. Every tensor must have been written whole, unless the writing has `failed`. */
  async close({ failed = false } = {}): Promise<void> {
    await this.#handle.close();
    if (failed) return;
    for (const [name, { byteLength }] of this.#placed) {
      if ((this.#written.get(name) ?? 0) !== byteLength) throw new Error(`${name} was not written whole`);
    }
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}

function headOf(
  entries: readonly { name: string; dtype: string; shape: readonly number[]; begin: number; end: number }[],
): Buffer {
  const json = JSON.stringify(
    Object.fromEntries(
      entries.map(({ name, dtype, shape, begin, end }) => [
        name,
        { dtype, shape, data_offsets: [begin, end] },
      ]),
    ),
  );
  const padded = Math.ceil((json.length + 8) / DATA_ALIGNMENT) * DATA_ALIGNMENT - 8;
  const head = Buffer.alloc(8 + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded));
  head.write(json, 8);
  return head;
}
