import { parseSafetensorsHeader, safetensorsHeaderLength } from '../artifact/safetensors.js';

/** A tensor of a test's safetensors file. */
export interface TensorSpec {
  name: string;
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

/** A whole safetensors file: header, then the tensors' bytes one after another. */
export function writeSafetensors(tensors: TensorSpec[]): Buffer {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const begin = end;
    end += bytes.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  return withHeader(
    JSON.stringify(Object.fromEntries(entries)),
    Buffer.concat(tensors.map(({ bytes }) => bytes)),
  );
}

/** A safetensors file with any header at all, and what its length is said to be. */
export function withHeader(
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(),
  length?: bigint,
): Buffer {
  const bytes = Buffer.from(header);
  const first8 = Buffer.alloc(8);
  first8.writeBigUInt64LE(length ?? BigInt(bytes.length));
  return Buffer.concat([first8, bytes, data]);
}

/** A float32 tensor. */
export function float32Tensor(name: string, shape: number[], values: ArrayLike<number>): TensorSpec {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Every tensor of a safetensors file, to be changed and written again. */
export function readTensors(bytes: Uint8Array): TensorSpec[] {
  const length = safetensorsHeaderLength('', bytes, bytes.byteLength);
  const infos = parseSafetensorsHeader('', bytes.subarray(8, 8 + length), bytes.byteLength);
  return [...infos.values()].map(({ name, dtype, shape, offset, byteLength }) => ({
    name,
    dtype,
    shape,
    bytes: bytes.subarray(offset, offset + byteLength),
  }));
}
