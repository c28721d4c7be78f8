import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { EMBEDDING, isLinearWeight } from '../checkpoint/tensor-plan.js';
import type { PlacedTensor, QuantizedTensor } from '../checkpoint/weight-source.js';
import type { Numerics } from '../precision.js';
import { type BlockFormat, blockFormatOf, blockLayout } from '../quantize.js';
import { QuantizeThreads } from './quantize-threads.js';
import { type ReadableTensor, readSlabs } from './read-slabs.js';
import { encodeFloats, type FloatType, TensorFile, type TensorSpec } from './tensor-file.js';

const WEIGHTS = 'weights-0.safetensors';

/** Values per slab: 4 MB as float32, of which a few per core are in memory. */
const SLAB_VALUES = 1024 * 1024;

/**
 * Writes a checkpoint's tensors into `target` in a precision, slab by slab, so that memory holds a few slabs however
 * large the checkpoint. Quantizes on all cores.
 * @throws UserError when the precision cannot represent a weight
 */
export async function storeWeights(
  tensors: ReadonlyMap<string, ReadableTensor>,
  target: string,
  numerics: Numerics,
  slabValues = SLAB_VALUES,
): Promise<Map<string, PlacedTensor | QuantizedTensor>> {
  const stores = [...tensors.values()].map((tensor) => storeOf(tensor, numerics));
  const file = await TensorFile.create(
    join(target, WEIGHTS),
    stores.flatMap(({ specs }) => specs),
  );
  const values = stores.reduce((sum, store) => sum + store.quantizedValues, 0);
  const threads = QuantizeThreads.start(values / slabValues);
  let failed = true;
  try {
    await writeAll(file, stores, threads, slabValues);
    failed = false;
  } finally {
    await threads.stop();
    await file.close({ failed });
  }
  return new Map(stores.map(({ tensor, placed }) => [tensor.name, placed(file)]));
}

/** Encodes slabs ahead, and writes them in order. The first slab in order that fails is the one reported. */
async function writeAll(
  file: TensorFile,
  stores: readonly Store[],
  threads: QuantizeThreads,
  slabValues: number,
): Promise<void> {
  const encoding: { tensor: ReadableTensor; parts: Promise<EncodedPart[]> }[] = [];
  const writeNext = async (): Promise<void> => {
    const next = encoding.shift();
    if (next === undefined) return;
    const parts = await next.parts.catch((error: unknown) => explain(next.tensor, error));
    for (const { name, bytes } of parts) await file.append(name, bytes);
  };
  for (const { tensor, encode } of stores) {
    for await (const slab of readSlabs(tensor, slabValues)) {
      // A copy, since the next slab overwrites this one.
      const parts = encode(slab.slice(), threads);
      // Reported in its turn; after an earlier failure, not at all.
      parts.catch(() => {});
      encoding.push({ tensor, parts });
      if (encoding.length > threads.slabs) await writeNext();
    }
  }
  while (encoding.length > 0) await writeNext();
}

/** Bytes to append to a tensor of the file. */
interface EncodedPart {
  name: string;
  bytes: Uint8Array;
}

/** How one tensor is written. */
interface Store {
  tensor: ReadableTensor;
  specs: TensorSpec[];
  /** How many of its values are quantized: all or none. */
  quantizedValues: number;
  /** May take the slab's memory. @throws RangeError when the type cannot represent a value */
  encode(slab: Float32Array<ArrayBuffer>, threads: QuantizeThreads): Promise<EncodedPart[]>;
  placed(file: TensorFile): PlacedTensor | QuantizedTensor;
}

function storeOf(tensor: ReadableTensor, numerics: Numerics): Store {
  const storage = storageOf(numerics, tensor.name, tensor.dtype);
  if ('format' in storage) return quantizedStore(tensor, storage.format);
  const { name, shape } = tensor;
  return {
    tensor,
    specs: [{ name, dtype: storage.type, shape }],
    quantizedValues: 0,
    encode: async (slab) => [{ name, bytes: encodeFloats(slab, storage.type) }],
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
    quantizedValues: outputs * inputs,
    encode: async (slab, threads) => {
      const rows = await threads.quantize({ values: slab, inputs, format });
      const parts = [
        { name: codes.name, bytes: rows.codes },
        { name: scales.name, bytes: bytesOf(rows.scales) },
      ];
      if (rows.zeroPoints !== undefined) parts.push({ name: zeros.name, bytes: bytesOf(rows.zeroPoints) });
      return parts;
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
