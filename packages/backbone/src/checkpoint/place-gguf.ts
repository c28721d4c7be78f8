import { writeFile } from 'node:fs/promises';
import { type GgufTensor, openGguf } from '../gguf/index.js';
import { FLOAT32_ON_CPU, type Numerics } from '../precision.js';
import type { ReadableTensor } from '../store/read-slabs.js';
import { storeWeights } from '../store/store-weights.js';
import { type BackboneConfig, readBackboneConfig } from './backbone-config.js';
import type { CheckpointTensor } from './checkpoint.js';
import type { PlacedBackbone } from './place-checkpoint.js';
import { planTensors, takeTensors } from './tensor-plan.js';

/**
 * Puts the weights of a GGUF file into `target` as a precision holds them (dequantized, then converted, once), as a
 * safetensors file; and its tokenizer as a `tokenizer.json`. Only what scoring reads is written.
 *
 * @param lastLayerOf the last block to read, once the configuration is known
 * @throws UserError for a file that is broken or holds what is not supported
 */
export async function placeGguf(
  file: string,
  target: string,
  tokenizerFile: string,
  lastLayerOf: (config: BackboneConfig) => number,
  numerics: Numerics = FLOAT32_ON_CPU,
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
  const tensors = await storeWeights(taken, target, numerics);
  await writeFile(tokenizerFile, JSON.stringify(gguf.tokenizerJson));
  return { config, tensors };
}

/** Every type that a GGUF tensor can be read from is float32 once it is read. */
function asFloat32(tensors: ReadonlyMap<string, GgufTensor>): Map<string, CheckpointTensor> {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, dtype: 'F32' }]));
}
