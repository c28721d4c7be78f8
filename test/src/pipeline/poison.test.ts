import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@tocsin/engine';
import { goldenDirs, readTensors, writeSafetensors } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { randomRows } from '../setup/random-words.js';
import { scratchDir } from '../setup/scratch.js';
import { goldenGuard, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';

const GUARD = 'qwen3-residual';
const POISON = '~';
const BF16_INFINITY = 0x7f80;

/** The guard's backbone, but the embedding of one token is infinite: whatever holds that token comes out as NaN. */
async function poisonedBackbone(dir: string): Promise<string> {
  const { backbone } = goldenDirs(GUARD);
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

test('rows that the model has no number for get an error, and every other row its score', async () => {
  const dir = scratchDir();
  const bad = new Set(['row-3', 'row-150']);
  const rows = randomRows(200, 20).map(({ id, text }) => ({
    id,
    text: bad.has(id) ? `${text}${POISON}` : text,
  }));
  const corpus = await writeJsonl(join(dir, 'corpus.jsonl'), rows);
  const data = ['--data-dir', join(dir, 'postgres'), '--json'];
  const out = (name: string): string => join(dir, `${name}.jsonl`);
  const guard = goldenGuard(GUARD);
  const poisoned = [...guard.slice(0, 2), '--backbone', await poisonedBackbone(join(dir, 'backbone'))];

  const sound = await tocsin(['score', corpus, ...guard, ...data, '-o', out('sound')]);
  expect(sound.exitCode).toBe(0);
  const first = await tocsin(['score', corpus, ...poisoned, ...data, '-o', out('first')]);
  expect(first.exitCode).toBe(2);
  expect(JSON.parse(String(first.stdout))).toMatchObject({ rows: 200, scored: 200, rejected: 0, failed: 2 });

  const expected = await readScores(out('sound'));
  for (const [i, line] of (await readScores(out('first'))).entries()) {
    if (bad.has(line.key)) expect(line).toEqual({ key: line.key, error: expect.stringMatching(/NaN/) });
    else expect(Math.abs((line.score ?? Number.NaN) - (expected[i]?.score ?? 0))).toBeLessThanOrEqual(1e-6);
  }

  // An error is not kept for a score: the next run tries these rows again, and only these.
  const again = await tocsin(['score', corpus, ...poisoned, ...data, '-o', out('again')]);
  expect(again.exitCode).toBe(2);
  expect(JSON.parse(String(again.stdout))).toMatchObject({ scored: 2, fromCache: 198, failed: 2 });
});
