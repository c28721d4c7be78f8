import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTinyPair } from '@tocsin/backbone/testing';
import { float32Tensor, tempDir, writeSafetensors } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { Guard } from './guard.js';

const temp = tempDir();
const HIDDEN = 32;
const TEMPLATE = '{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}';

/** A readout of the state after the first of two blocks. */
async function writeArtifact(dir: string): Promise<string> {
  await mkdir(dir);
  const config = {
    task: 'trajectory',
    base_model: { model_id: 'tiny', hidden_size: HIDDEN, num_layers: 2 },
    siren_module: { pooling_type: 'last', hidden_state_index: 1, early_exit_blocks: 1 },
    render: { tools: 'rich', truncation: 'head_tail' },
    inference: { max_length: 64, default_threshold: 0.5 },
  };
  await writeFile(join(dir, 'siren_config.json'), JSON.stringify(config));
  const weight = Array.from({ length: HIDDEN }, (_, i) => 0.0005 * Math.sin(1 + i * i));
  const tensors = [float32Tensor('head.weight', [1, HIDDEN], weight), float32Tensor('head.bias', [1], [0.1])];
  await writeFile(join(dir, 'siren.safetensors'), writeSafetensors(tensors));
  return dir;
}

const ITEMS = ['hello', 'the world', 'tokens '.repeat(40)].map((content) => ({
  messages: [
    { role: 'user', content },
    { role: 'assistant', content: 'hello' },
  ],
}));

test('a trajectory guard takes the chat template out of a GGUF', async () => {
  const artifact = await writeArtifact(join(temp, 'artifact'));
  const { gguf, checkpoint } = await writeTinyPair(temp, 'qwen3', 'F16', TEMPLATE);
  const scores: number[][] = [];
  for (const backbone of [gguf, checkpoint]) {
    const guard = await Guard.fromPretrained(artifact, { backbone, cacheDir: join(temp, 'cache') });
    scores.push((await guard.scoreBatch(ITEMS)).map(({ score }) => score));
    await guard.close();
  }
  const [ofGguf = [], ofCheckpoint = []] = scores;
  expect(new Set(ofGguf).size).toBe(ITEMS.length);
  for (const [i, score] of ofGguf.entries()) expect(score).toBeCloseTo(ofCheckpoint[i] ?? Number.NaN, 6);
});

test('a GGUF without a chat template is told', async () => {
  const artifact = await writeArtifact(join(temp, 'artifact-2'));
  const { gguf } = await writeTinyPair(temp, 'llama', 'F16');
  const opening = Guard.fromPretrained(artifact, { backbone: gguf, cacheDir: join(temp, 'cache') });
  await expect(opening).rejects.toThrow(`${gguf} has no chat_template`);
});
