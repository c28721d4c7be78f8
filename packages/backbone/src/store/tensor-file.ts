import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { PlacedTensor } from '../checkpoint/weight-source.js';

/** The largest float16. */
const HALF_MAX = 65_504;

/** Float tensor types that can be written. */
export type FloatType = 'F32' | 'F16' | 'BF16';
const FLOAT_BYTES: Record<FloatType, number> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Values in another type, rounded to nearest (ties to even), as little-endian bytes.
 * @throws RangeError naming the first value beyond float16
 */
export function encodeFloats(values: Float32Array, type: FloatType): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const codes = new Uint16Array(values.length);
  if (type === 'BF16') {
    for (let i = 0; i < bits.length; i++) codes[i] = bfloat16Bits(bits[i] ?? 0);
    return new Uint8Array(codes.buffer);
  }
  for (let i = 0; i < bits.length; i++) {
    const code = float16Bits(bits[i] ?? 0);
    if ((code & 0x7fff) === 0x7c00) {
      throw new RangeError(`${values[i]} is beyond float16, which ends at ${HALF_MAX}`);
    }
    codes[i] = code;
  }
  return new Uint8Array(codes.buffer);
}

/** The upper half of a float32's bits, rounded. */
function bfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** Float16 bits from float32 bits. Overflow gives infinity. */
function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 float16 counts in steps of 2^-24.
  if (magnitude < 0x38800000) return sign | subnormalSteps(magnitude);
  // Exponent bias is 127 in float32 and 15 in float16; 13 bits of the fraction are dropped.
  const rebiased = magnitude - 0x38000000;
  return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
}

function subnormalSteps(magnitude: number): number {
  const exponent = (magnitude >>> 23) - 127;
  if (exponent < -25) return 0;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const shift = -1 - exponent;
  const half = 1 << (shift - 1);
  const steps = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  return rest > half || (rest === half && (steps & 1) === 1) ? steps + 1 : steps;
}

/** A tensor to be written. */
export interface TensorSpec {
  name: string;
  dtype: FloatType | 'U8' | 'I8';
  shape: readonly number[];
}

/** Alignment of the data, in bytes: readers map the file and use aligned data in place. */
const DATA_ALIGNMENT = 64;
const BYTES: Record<TensorSpec['dtype'], number> = { ...FLOAT_BYTES, U8: 1, I8: 1 };

/** A safetensors file written in pieces, its tensors in any order. */
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

  /** Starts a file for these tensors. */
  static async create(file: string, specs: readonly TensorSpec[]): Promise<TensorFile> {
    // Wide types first, so that each tensor is aligned to its element size.
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

  /** Appends bytes to a tensor. */
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
    if (placed === undefined) throw new Error(`${this.#file} has no tensor ${name}`);
    return placed;
  }

  /** Closes the file. Every tensor must be complete, unless writing has `failed`. */
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
