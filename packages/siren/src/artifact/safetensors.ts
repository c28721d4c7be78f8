import { UserError } from '@tocsin/core';
import { z } from 'zod';

/** A tensor of a safetensors file: where its bytes are, and how to read them. */
export interface TensorInfo {
  name: string;
  /** As the format spells it: F32, F16, BF16, ... */
  dtype: string;
  shape: number[];
  /** Absolute position in the file, bytes. */
  offset: number;
  byteLength: number;
}

/** The format allows 100 MB; the largest real headers are a few MB. */
const MAX_HEADER_BYTES = 100_000_000;
export const HEADER_LENGTH_BYTES = 8;

/** A map and no object: the types' names come out of the file, and one may be called `constructor`. */
const BYTES_PER_ELEMENT = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['I32', 4],
  ['I16', 2],
  ['I8', 1],
  ['U64', 8],
  ['U32', 4],
  ['U16', 2],
  ['U8', 1],
  ['BOOL', 1],
]);

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Length in bytes of the JSON header, out of the file's first 8 bytes.
 * @throws UserError when the file is too short or the length cannot be.
 */
export function safetensorsHeaderLength(file: string, first8: Uint8Array, fileSize: number): number {
  if (fileSize < HEADER_LENGTH_BYTES || first8.byteLength < HEADER_LENGTH_BYTES) {
    throw broken(
      file,
      `it has ${fileSize} bytes, fewer than the ${HEADER_LENGTH_BYTES} of the header length`,
    );
  }
  const length = Number(new DataView(first8.buffer, first8.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || HEADER_LENGTH_BYTES + length > fileSize) {
    throw broken(file, `its header claims ${length} bytes, the file has ${fileSize}`);
  }
  return length;
}

/**
 * Every tensor of a safetensors file, by name, out of its JSON header. Positions, lengths and shapes are checked
 * against one another and against the file's size; no tensor data is read.
 */
export function parseSafetensorsHeader(
  file: string,
  header: Uint8Array,
  fileSize: number,
): Map<string, TensorInfo> {
  const dataStart = HEADER_LENGTH_BYTES + header.byteLength;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of Object.entries(parseObject(file, header))) {
    if (name === '__metadata__') continue;
    tensors.set(name, tensorInfo(file, name, value, dataStart, fileSize));
  }
  return tensors;
}

function parseObject(file: string, header: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (cause) {
    throw broken(file, 'its header is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw broken(file, 'its header is no JSON object');
  }
  return value as Record<string, unknown>;
}

function tensorInfo(
  file: string,
  name: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): TensorInfo {
  const parsed = tensorSchema.safeParse(value);
  if (!parsed.success) {
    throw broken(
      file,
      `tensor ${name}: expected dtype, shape and data_offsets (${z.prettifyError(parsed.error)})`,
    );
  }
  const { dtype, shape, data_offsets } = parsed.data;
  const [begin, end] = data_offsets;
  const dataLength = fileSize - dataStart;
  if (begin > end || end > dataLength) {
    throw broken(
      file,
      `tensor ${name}: data_offsets [${begin}, ${end}] are outside the file's ${dataLength} bytes of data`,
    );
  }
  const elementBytes = BYTES_PER_ELEMENT.get(dtype);
  if (elementBytes !== undefined) {
    const expected = shape.reduce((product, size) => product * size, elementBytes);
    if (expected !== end - begin) {
      throw broken(
        file,
        `tensor ${name}: ${dtype} of shape [${shape}] takes ${expected} bytes, data_offsets give ${end - begin}`,
      );
    }
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength: end - begin };
}

function broken(file: string, what: string, cause?: unknown): UserError {
  return new UserError(`${file} is not a whole safetensors file: ${what}`, {
    hint: 'The file may have been cut while it was copied or downloaded. Fetch it again.',
    cause,
  });
}
