import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planTensors, readBackboneConfig } from '@tocsin/backbone';
import { randomFrom } from './corpus.js';

const BFLOAT16_BYTES = 2;
/**
 * Weights are read repeatedly from a pool of this size. A prime, so that no two layers are equal: onnxruntime would
 * share them.
 */
const POOL = 1_048_573;
/** Random weights that keep activations finite through any number of blocks. */
const SPREAD = 0.04;

/** Approximate bytes of a shard, like the hub's. */
const SHARD_BYTES = 5e9;

/**
 * A checkpoint directory of random bfloat16 weights with the shape of `config` (a Hugging Face config.json), in shards if
 * large. For measuring; the scores are meaningless.
 * @param tokenizer a tokenizer.json whose ids are below the vocabulary's size
 */
export async function makeCheckpoint(
  dir: string,
  config: Record<string, unknown>,
  tokenizer: string,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'config.json'), JSON.stringify(config));
  await copyFile(tokenizer, join(dir, 'tokenizer.json'));
  const shape = readBackboneConfig('config.json', config);
  // Includes tensors that no guard reads, like a released checkpoint.
  const head: NamedShape[] =
    config.tie_word_embeddings === false ? [['lm_head.weight', [shape.vocabSize, shape.hiddenSize]]] : [];
  const shards = inShards([...planTensors(shape, shape.numLayers - 1), ...head]);
  const nameOf = (shard: number): string =>
    shards.length === 1 ? 'model.safetensors' : `model-${shard + 1}-of-${shards.length}.safetensors`;
  for (const [i, tensors] of shards.entries()) await writeRandom(join(dir, nameOf(i)), tensors);
  if (shards.length === 1) return;
  const map = shards.flatMap((tensors, i) => tensors.map(([name]) => [name, nameOf(i)] as const));
  const index = { metadata: {}, weight_map: Object.fromEntries(map) };
  await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify(index));
}

type NamedShape = [name: string, shape: number[]];

const bytesOf = ([, shape]: NamedShape): number => shape.reduce((product, n) => product * n, BFLOAT16_BYTES);

function inShards(tensors: NamedShape[]): NamedShape[][] {
  const shards: NamedShape[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > SHARD_BYTES) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(tensor);
    bytes += bytesOf(tensor);
  }
  return shards;
}

async function writeRandom(path: string, tensors: NamedShape[]): Promise<void> {
  let end = 0;
  const header = tensors.map((tensor) => {
    const begin = end;
    end += bytesOf(tensor);
    return [tensor[0], { dtype: 'BF16', shape: tensor[1], data_offsets: [begin, end] }] as const;
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(path, 'w');
  await file.writeFile(length);
  await file.writeFile(json);
  const pool = randomBfloat16(POOL);
  let from = 0;
  for (const tensor of tensors) {
    let left = bytesOf(tensor) / BFLOAT16_BYTES;
    // Norms near one, like trained ones.
    const source = tensor[0].includes('norm') ? new Uint16Array(left).fill(0x3f80) : pool;
    while (left > 0) {
      const part = source.subarray(from % source.length, (from % source.length) + left);
      await file.writeFile(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      left -= part.length;
      from += part.length;
    }
  }
  await file.close();
}

function randomBfloat16(count: number): Uint16Array {
  const random = randomFrom(7);
  const values = Float32Array.from({ length: count }, () => (random() - 0.5) * 2 * SPREAD);
  return Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
}

/** An artifact for the first and the last block, in the format of a released one. */
export async function makeArtifact(
  dir: string,
  modelId: string,
  hiddenSize: number,
  numLayers: number,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  const layers = [0, numLayers - 1];
  const neurons = Array.from({ length: 64 }, (_, i) => (i * 13) % hiddenSize);
  const inputs = layers.length * neurons.length;
  const config = {
    siren_version: '1.0',
    task: 'content',
    base_model: { model_id: modelId, revision: null, hidden_size: hiddenSize, num_layers: numLayers },
    siren_module: {
      pooling_type: 'residual_mean',
      selected_layers: layers,
      layer_weights: Object.fromEntries(layers.map((layer) => [layer, 1])),
      selected_neurons_dict: Object.fromEntries(
        layers.map((layer) => [`layer${layer}_residual_mean`, neurons]),
      ),
    },
    mlp: { input_dim: inputs, layer_dims: [], dropout_rates: [], num_classes: 2 },
    inference: { max_length: 512, default_threshold: 0.5 },
  };
  await writeFile(join(dir, 'siren_config.json'), JSON.stringify(config));
  const header = JSON.stringify({
    'network.0.weight': { dtype: 'F32', shape: [2, inputs], data_offsets: [0, 8 * inputs] },
    'network.0.bias': { dtype: 'F32', shape: [2], data_offsets: [8 * inputs, 8 * inputs + 8] },
  });
  const random = randomFrom(3);
  const values = Float32Array.from({ length: 2 * inputs + 2 }, () => (random() - 0.5) * 0.1);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(
    join(dir, 'siren.safetensors'),
    Buffer.concat([length, Buffer.from(header), new Uint8Array(values.buffer)]),
  );
}
