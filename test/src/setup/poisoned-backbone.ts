import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@tocsin/engine';
import { type GoldenGuard, goldenDirs, readTensors, writeSafetensors } from '@tocsin/siren/testing';

/** The model's score of a text that contains it is NaN. */
export const POISON = '~';
const BF16_INFINITY = 0x7f80;

/** The token that only poison texts have. */
export async function poisonToken(guard: GoldenGuard): Promise<number> {
  const tokenizer = await Tokenizer.open(join(goldenDirs(guard).backbone, 'tokenizer.json'), 8);
  const [encoded] = await tokenizer.encode([POISON]);
  const token = encoded?.tokenIds[0];
  if (token === undefined) throw new Error('the poison has no token');
  return token;
}

/** A guard's backbone with an infinite embedding for one token: a text with that token gives NaN. */
export async function poisonedBackbone(guard: GoldenGuard, dir: string): Promise<string> {
  const { backbone } = goldenDirs(guard);
  await mkdir(dir);
  for (const name of await readdir(backbone)) await copyFile(join(backbone, name), join(dir, name));
  const token = await poisonToken(guard);
  const tensors = readTensors(await readFile(join(backbone, 'model.safetensors')));
  const embeddings = tensors.find(({ name }) => name === 'model.embed_tokens.weight');
  if (embeddings?.dtype !== 'BF16') throw new Error('not the backbone that was expected');
  const values = new Uint16Array(Uint8Array.from(embeddings.bytes).buffer);
  const width = embeddings.shape[1] ?? 0;
  values.fill(BF16_INFINITY, token * width, (token + 1) * width);
  embeddings.bytes = new Uint8Array(values.buffer);
  await writeFile(join(dir, 'model.safetensors'), writeSafetensors(tensors));
  return dir;
}
