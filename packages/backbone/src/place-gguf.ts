import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BackboneConfig, readBackboneConfig } from './backbone-config.js';
import type { CheckpointTensor } from './checkpoint.js';
import { type GgufTensor, openGguf, readGgufTensor } from './gguf/index.js';
import { type PlacedBackbone, placed } from './place-checkpoint.js';
import { readSafetensorsFile } from './safetensors-file.js';
import { planTensors, takeTensors } from './tensor-plan.js';

const WEIGHTS = 'weights-0.safetensors';
const FLOAT32_BYTES = 4;
/** Readers map the file: data that starts at a multiple of this can be used where it lies. */
const DATA_ALIGNMENT = 64;

/**
 * Puts the weights of a GGUF file into `target`, dequantized to float32 once, as a safetensors file; and its tokenizer
 * as a `tokenizer.json`. Only what scoring reads is written, tensor by tensor: memory holds one tensor at a time.
 *
 * @param lastLayerOf the last block to read, once the configuration is known
 * @throws UserError for a file that is broken or holds what is not supported
 */
export async function placeGguf(
  file: string,
  target: string,
  tokenizerFile: string,
  lastLayerOf: (config: BackboneConfig) => number,
): Promise<PlacedBackbone> {
  const gguf = await openGguf(file);
  const config = readBackboneConfig(file, gguf.config);
  const plan = planTensors(config, lastLayerOf(config));
  takeTensors({ config, tensors: asFloat32(gguf.tensors) }, plan, file);
  const stored = [...plan].map(([name, shape]) => ({ name, shape, length: elements(shape) * FLOAT32_BYTES }));

  const weights = join(target, WEIGHTS);
  const handle = await open(weights, 'w');
  try {
    await handle.writeFile(safetensorsHead(stored));
    for (const { name } of stored) {
      const tensor = gguf.tensors.get(name);
      if (tensor === undefined) throw new Error(`${name} was there a moment ago`);
      const values = await readGgufTensor(tensor);
      await handle.writeFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  } finally {
    await handle.close();
  }
  await writeFile(tokenizerFile, JSON.stringify(gguf.tokenizerJson));
  const written = await readSafetensorsFile(weights);
  return { config, tensors: new Map([...written].map(([name, tensor]) => [name, placed(tensor, WEIGHTS)])) };
}

/** Every type that a GGUF tensor can be read from is float32 once it is read. */
function asFloat32(tensors: ReadonlyMap<string, GgufTensor>): Map<string, CheckpointTensor> {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, dtype: 'F32' }]));
}

function safetensorsHead(stored: { name: string; shape: number[]; length: number }[]): Buffer {
  let end = 0;
  const entries = stored.map(({ name, shape, length }) => {
    const begin = end;
    end += length;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const padded = Math.ceil((json.length + 8) / DATA_ALIGNMENT) * DATA_ALIGNMENT - 8;
  const head = Buffer.alloc(8 + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded));
  head.write(json, 8);
  return head;
}

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
