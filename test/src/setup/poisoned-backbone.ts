import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@tocsin/engine';
import { type GoldenGuard, goldenDirs, readTensors, writeSafetensors } from '@tocsin/siren/testing';

/** The model has no number for a text that holds it. */
export const POISON = '~';
const BF16_INFINITY = 0x7f80;

/** A guard's backbone, but the embedding of one token is infinite: whatever holds that token comes out as NaN. */
export async function poisonedBackbone(guard: GoldenGuard, dir: string): Promise<string> {
  const { backbone } = goldenDirs(guard);
  await mkdir(dir);
  for (const name of await readdir(backbone)) await copyFile(join(backbone, name), join(dir, name));
  const tokenizer = await Tokenizer.open(join(dir, 'tokenizer.json'), 8);
  const [encoded] = await tokenizer.encode([POISON]);
  const token = encoded?.tokenIds[0];
  const tensors = readTensors(await readFile(join(backbone, 'model.safetensors')));
  const embeddings = tensors.find(({ name }) => name === 'model.embed_tokens.weight');
  if (token === undefined || embeddings?.dtype !== 'BF16')
    throw new Error('not the backbone that was expected');
  const values = new Uint16Array(Uint8Array.from(embeddings.bytes).buffer);
  const width = embeddings.shape[1] ?? 0;
  values.fill(BF16_INFINITY, token * width, (token + 1) * width);
  embeddings.bytes = new Uint8Array(values.buffer);
  await writeFile(join(dir, 'model.safetensors'), writeSafetensors(tensors));
  return dir;
}
