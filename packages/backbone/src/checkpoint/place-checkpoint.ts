import { constants } from 'node:fs';
import { copyFile, link, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@tocsin/core';
import { FLOAT32_ON_CPU, type Numerics, type Precision } from '../precision.js';
import { storeWeights } from '../store/store-weights.js';
import type { BackboneConfig } from './backbone-config.js';
import type { CheckpointTensor } from './checkpoint.js';
import { openCheckpoint } from './open-checkpoint.js';
import { planTensors, takeTensors } from './tensor-plan.js';
import type { PlacedTensor, QuantizedTensor } from './weight-source.js';

/** A backbone whose weights are in the directory that its model will be in. */
export interface PlacedBackbone {
  config: BackboneConfig;
  tensors: Map<string, PlacedTensor | QuantizedTensor>;
}

/**
 * Puts the weights of a Hugging Face checkpoint into `target`, without a copy where the precision and the file system
 * allow it: float32 reads any weights where they are, a half precision those that are of its own type. Other weights
 * are converted once. onnxruntime reads external data only out of the model's own directory and follows no symbolic link: so each weight
 * file is hard-linked, and copied (as a clone where that exists) when `target` is on another file system.
 *
 * @param lastLayerOf the last block to read, once the configuration is known
 * @throws UserError when a tensor is missing, of another shape or type, or beyond what the precision holds
 */
export async function placeCheckpoint(
  dir: string,
  target: string,
  lastLayerOf: (config: BackboneConfig) => number,
  numerics: Numerics = FLOAT32_ON_CPU,
): Promise<PlacedBackbone> {
  const checkpoint = await openCheckpoint(dir);
  const { config } = checkpoint;
  const taken = takeTensors(checkpoint, planTensors(config, lastLayerOf(config)), dir);
  if (!isHeldAlready(taken, numerics.weights)) {
    return { config, tensors: await storeWeights(taken, target, numerics) };
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

/** The graph takes the tensors as they are: all of them in float32's case, since every float widens to it exactly. */
function isHeldAlready(taken: ReadonlyMap<string, CheckpointTensor>, precision: Precision): boolean {
  if (precision === 'float32') return true;
  const dtype = { float16: 'F16', bfloat16: 'BF16', int8: undefined, int4: undefined }[precision];
  return [...taken.values()].every((tensor) => tensor.dtype === dtype);
}

export function placed(tensor: CheckpointTensor, location: string): PlacedTensor {
  const { dtype, shape, offset, byteLength } = tensor;
  return { dtype, shape, location, offset, byteLength };
}

/** Errors of link() that say "not here" and not "not at all". */
const NO_LINK_HERE = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EACCES', 'ENOSYS', 'EOPNOTSUPP']);

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (!NO_LINK_HERE.has(codeOf(error) ?? '')) throw error;
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}
