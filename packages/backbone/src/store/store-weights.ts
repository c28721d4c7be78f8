import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { EMBEDDING, isLinearWeight } from '../checkpoint/tensor-plan.js';
import type { PlacedTensor, QuantizedTensor } from '../checkpoint/weight-source.js';
import type { Numerics } from '../precision.js';
import { type BlockFormat, blockFormatOf, blockLayout, quantizeRows } from '../quantize.js';
import { type ReadableTensor, readSlabs } from './read-slabs.js';
import { encodeFloats, type FloatType, TensorFile, type TensorSpec } from './tensor-file.js';

const WEIGHTS = 'weights-0.safetensors';

/**
 * Writes a checkpoint's tensors into `target` in a precision, slab by slab, so that memory holds a few slabs however
 * large the checkpoint.
 * @throws UserError when the precision cannot represent a weight
 */
export async function storeWeights(
  tensors: ReadonlyMap<string, ReadableTensor>,
  target: string,
  numerics: Numerics,
  slabValues?: number,
): Promise<Map<string, PlacedTensor | QuantizedTensor>> {
  const stores = [...tensors.values()].map((tensor) => storeOf(tensor, numerics));
  const file = await TensorFile.create(
    join(target, WEIGHTS),
    stores.flatMap(({ specs }) => specs),
  );
  let failed = true;
  try {
    for (const { tensor, write } of stores) {
      for await (const slab of readSlabs(tensor, slabValues)) {
        await write(file, slab).catch((error: unknown) => explain(tensor, error));
      }
    }
    failed = false;
  } finally {
    await file.close({ failed });
  }
  return new Map(stores.map(({ tensor, placed }) => [tensor.name, placed(file)]));
}

/** How one tensor is written. */
interface Store {
  tensor: ReadableTensor;
  specs: TensorSpec[];
  write(file: TensorFile, slab: Float32Array): Promise<void>;
  placed(file: TensorFile): PlacedTensor | QuantizedTensor;
}

function storeOf(tensor: ReadableTensor, numerics: Numerics): Store {
  const storage = storageOf(numerics, tensor.name, tensor.dtype);
  if ('format' in storage) return quantizedStore(tensor, storage.format);
  const { name, shape } = tensor;
  return {
    tensor,
    specs: [{ name, dtype: storage.type, shape }],
    write: async (file, slab) => file.append(name, encodeFloats(slab, storage.type)),
    placed: (file) => file.placed(name),
  };
}

function quantizedStore(tensor: ReadableTensor, format: BlockFormat): Store {
  const { name } = tensor;
  const [outputs = 0, inputs = 0] = tensor.shape;
  const { blocks, codeBytes, zeroPointBytes } = blockLayout(format, inputs);
  const codes: TensorSpec = {
    name: `${name}.codes`,
    dtype: 'U8',
    shape: [outputs, blocks, codeBytes / blocks],
  };
  const scales: TensorSpec = { name: `${name}.scales`, dtype: 'F32', shape: [outputs * blocks] };
  const zeros: TensorSpec = {
    name: `${name}.zero_points`,
    ...(format.zeroPoints === 'floats'
      ? { dtype: 'F32', shape: [outputs * blocks] }
      : { dtype: 'U8', shape: [outputs * zeroPointBytes] }),
  };
  const hasZeros = format.zeroPoints !== 'middle';
  return {
    tensor,
    specs: hasZeros ? [codes, scales, zeros] : [codes, scales],
    write: async (file, slab) => {
      const rows = quantizeRows(slab, inputs, format);
      await file.append(codes.name, rows.codes);
      await file.append(scales.name, bytesOf(rows.scales));
      if (rows.zeroPoints !== undefined) await file.append(zeros.name, bytesOf(rows.zeroPoints));
    },
    placed: (file) => ({
      format,
      shape: [outputs, inputs],
      codes: file.placed(codes.name),
      scales: file.placed(scales.name),
      zeroPoints: hasZeros ? file.placed(zeros.name) : undefined,
    }),
  };
}

/** Describes a weight that a type cannot represent. */
function explain(tensor: ReadableTensor, error: unknown): never {
  if (!(error instanceof RangeError)) throw error;
  throw new UserError(`${tensor.file}: tensor ${tensor.name}: ${error.message}`, {
    hint: 'Use another precision: bfloat16 has the range of float32.',
    cause: error,
  });
}

const bytesOf = (values: Float32Array | Uint8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** How a tensor of a checkpoint is stored in the compiled guard. */
type Storage = { type: FloatType } | { format: BlockFormat };

/**
 * How a precision stores a tensor. Only the blocks' linear layers become integers; the embedding, the largest table of a
 * small backbone, is read a few rows at a time and stays in half precision.
 * @param dtype the checkpoint's
 */
function storageOf(numerics: Numerics, name: string, dtype: string): Storage {
  switch (numerics.weights) {
    case 'float32':
      return { type: 'F32' };
    case 'float16':
      return { type: 'F16' };
    case 'bfloat16':
      return { type: 'BF16' };
    case 'int8':
    case 'int4': {
      const format = isLinearWeight(name) ? blockFormatOf(numerics, dtype) : undefined;
      if (format !== undefined) return { format };
      if (name === EMBEDDING) return { type: dtype === 'BF16' ? 'BF16' : 'F16' };
      return { type: 'F32' };
    }
  }
}
