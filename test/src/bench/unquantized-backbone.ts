import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenGuard } from '@tocsin/engine';
import { randomFrom } from './corpus.js';

/** Of the blocks that a Q4_1 file has its weights in. */
const BLOCK = 32;
const STEPS = 15;

/**
 * The starter's backbone comes as 4-bit integers. To see what a precision does to a backbone that was trained in
 * bfloat16 this makes one out of it: each weight is moved at random within its step, so that the weights are spread as
 * trained ones are, and then held as bfloat16.
 * @param guard the starter in float32, compiled
 * @returns a checkpoint directory
 */
export async function unquantizedBackbone(guard: OpenGuard, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const { compiled } = guard;
  await copyFile(compiled.tokenizerFile, join(dir, 'tokenizer.json'));
  await writeFile(join(dir, 'config.json'), JSON.stringify(configOf(guard)));
  const file = await readFile(join(compiled.dir, 'weights-0.safetensors'));
  const headLength = Number(file.readBigUInt64LE());
  const head = JSON.parse(file.toString('utf8', 8, 8 + headLength)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  const random = randomFrom(11);
  const parts: Uint8Array[] = [];
  let end = 0;
  const entries = Object.entries(head).map(([name, { shape, data_offsets }]) => {
    const [from, to] = data_offsets.map((offset) => 8 + headLength + offset);
    const values = new Float32Array(Uint8Array.from(file.subarray(from, to)).buffer);
    if (name.endsWith('_proj.weight')) spread(values, random);
    const bits = new Uint32Array(values.buffer);
    const halves = Uint16Array.from(bits, (one) => (one + 0x7fff + ((one >>> 16) & 1)) >>> 16);
    parts.push(new Uint8Array(halves.buffer));
    const begin = end;
    end += halves.byteLength;
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(join(dir, 'model.safetensors'), Buffer.concat([length, json, ...parts]));
  return dir;
}

function spread(values: Float32Array, random: () => number): void {
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const step = (Math.max(...block) - Math.min(...block)) / STEPS;
    for (const [i, value] of block.entries()) block[i] = value + (random() - 0.5) * step;
  }
}

/** As Hugging Face writes it. */
function configOf({ compiled }: OpenGuard): object {
  const { config } = compiled;
  return {
    model_type: config.family,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    head_dim: config.headDim,
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.rope.theta,
    vocab_size: config.vocabSize,
  };
}
