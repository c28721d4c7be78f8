import { constants } from 'node:fs';
import { copyFile, link, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@tocsin/core';
import type { GgufTensor } from '../gguf/gguf-tensor.js';
import { openGguf } from '../gguf/open-gguf.js';
import { type Calibration, storeInt8 } from '../int8/store-int8.js';
import { FLOAT32_ON_CPU, type Numerics, type Precision } from '../precision.js';
import type { ReadableTensor } from '../store/read-slabs.js';
import { storeWeights } from '../store/store-weights.js';
import { type BackboneConfig, readBackboneConfig } from './backbone-config.js';
import { type CheckpointTensor, openCheckpoint } from './checkpoint.js';
import { planTensors, takeTensors } from './tensor-plan.js';
import type { PlacedTensor, PlacedWeight } from './weight-source.js';

/** A backbone whose weights are in the compiled guard's directory. */
export interface PlacedBackbone {
  config: BackboneConfig;
  tensors: Map<string, PlacedWeight>;
}

export interface PlaceOptions {
  /** Default: float32 on a CPU. */
  numerics?: Numerics;
  /** Only for int8 on a CPU: what activations are measured with. Called once the tokenizer is in `target`. */
  calibration?: (config: BackboneConfig) => Promise<Calibration>;
}

/**
 * Puts the weights of a Hugging Face checkpoint into `target`, without a copy where possible: float32 reads any weights
 * in place, half precisions only those of their own type. Other weights are converted once. onnxruntime reads external data
 * only from the model's own directory and follows no symbolic links, so weight files are hard-linked, or copied (cloned
 * where supported) when `target` is on another file system.
 * @param lastLayerOf returns the last block to read
 * @throws UserError when a tensor is missing, has the wrong shape or type, or exceeds the precision's range
 */
export async function placeCheckpoint(
  dir: string,
  target: string,
  lastLayerOf: (config: BackboneConfig) => number,
  options: PlaceOptions = {},
): Promise<PlacedBackbone> {
  const { numerics = FLOAT32_ON_CPU } = options;
  const checkpoint = await openCheckpoint(dir);
  const { config } = checkpoint;
  const taken = takeTensors(checkpoint, planTensors(config, lastLayerOf(config)), dir);
  if (!isHeldAlready(taken, numerics.weights)) {
    return { config, tensors: await store(taken, config, lastLayerOf(config), target, options) };
  }
  const locations = new Map<string, string>();
  const tensors = new Map<string, PlacedTensor>();
  for (const [name, tensor] of taken) {
    const location = locations.get(tensor.file) ?? `weights-${locations.size}.safetensors`;
    if (!locations.has(tensor.file)) {
      await linkOrCopy(await realpath(tensor.file), join(target, location));
      locations.set(tensor.file, location);
    }
    tensors.set(name, placed(tensor, location));
  }
  return { config, tensors };
}

/** Whether the graph can use the tensors in place. For float32 always, since every float type widens to it exactly. */
function isHeldAlready(taken: ReadonlyMap<string, CheckpointTensor>, precision: Precision): boolean {
  if (precision === 'float32') return true;
  const dtype = { float16: 'F16', bfloat16: 'BF16', int8: undefined, int4: undefined }[precision];
  return [...taken.values()].every((tensor) => tensor.dtype === dtype);
}

export function placed(tensor: CheckpointTensor, location: string): PlacedTensor {
  const { dtype, shape, offset, byteLength } = tensor;
  return { dtype, shape, location, offset, byteLength };
}

/** Errors of link() for which a copy may still work. */
const NO_LINK_HERE = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EACCES', 'ENOSYS', 'EOPNOTSUPP']);

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (!NO_LINK_HERE.has(codeOf(error) ?? '')) throw error;
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}

/**
 * Writes a GGUF file's weights into `target` as a safetensors file in the given precision (dequantized and converted
 * once), and its tokenizer as `tokenizer.json`. Writes only what scoring reads.
 *
 * @param lastLayerOf returns the last block to read
 * @throws UserError for a broken file or unsupported content
 */
export async function placeGguf(
  file: string,
  target: string,
  tokenizerFile: string,
  lastLayerOf: (config: BackboneConfig) => number,
  options: PlaceOptions = {},
): Promise<PlacedBackbone> {
  const gguf = await openGguf(file);
  const config = readBackboneConfig(file, gguf.config);
  const plan = planTensors(config, lastLayerOf(config));
  takeTensors({ config, tensors: asFloat32(gguf.tensors) }, plan, file);
  const taken = new Map<string, ReadableTensor>();
  for (const name of plan.keys()) {
    const tensor = gguf.tensors.get(name);
    if (tensor === undefined) throw new Error(`${name} was there a moment ago`);
    taken.set(name, tensor);
  }
  await writeFile(tokenizerFile, JSON.stringify(gguf.tokenizerJson));
  return { config, tensors: await store(taken, config, lastLayerOf(config), target, options) };
}

async function store(
  tensors: ReadonlyMap<string, ReadableTensor>,
  config: BackboneConfig,
  lastLayer: number,
  target: string,
  { numerics = FLOAT32_ON_CPU, calibration }: PlaceOptions,
): Promise<Map<string, PlacedWeight>> {
  if (numerics.weights !== 'int8' || numerics.device !== 'cpu')
    return storeWeights(tensors, target, numerics);
  if (calibration === undefined) throw new Error('int8 on a CPU needs a calibration');
  return storeInt8(tensors, config, lastLayer, target, await calibration(config));
}

/** Every supported GGUF tensor type is read as float32. */
function asFloat32(tensors: ReadonlyMap<string, GgufTensor>): Map<string, CheckpointTensor> {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, dtype: 'F32' }]));
}

/**
 * A GGUF file's `tokenizer_config.json`: special tokens by name, and the chat template if it has one.
 * @throws UserError for a broken file or unsupported content
 */
export async function ggufTokenizerConfig(file: string): Promise<Record<string, unknown>> {
  const { tokenizerConfig } = await openGguf(file);
  return tokenizerConfig;
}
