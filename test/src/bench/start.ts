import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeArtifact, makeCheckpoint } from './make-checkpoint.js';
import { line, seconds, section } from './report.js';

/** The shape of Qwen3-0.6B, from its config.json. */
const QWEN3_06B = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  hidden_act: 'silu',
  attention_bias: false,
  tie_word_embeddings: true,
  rope_theta: 1_000_000,
  vocab_size: 151_936,
  hidden_size: 1024,
  intermediate_size: 3072,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  rms_norm_eps: 1e-6,
};
const TOKENIZER = fileURLToPath(
  new URL('../../fixtures/golden/qwen3-residual/backbone/tokenizer.json', import.meta.url),
);
const FIRST_SCORE = fileURLToPath(new URL('./first-score.js', import.meta.url));

/** From nothing to the first score, in a separate process. */
export async function benchStart(dir: string): Promise<void> {
  section('Start: a process from its beginning to the first score');
  const backbone = join(dir, 'qwen3-0.6b');
  const artifact = join(dir, 'qwen3-0.6b-artifact');
  await makeCheckpoint(backbone, QWEN3_06B, TOKENIZER);
  await makeArtifact(artifact, backbone, QWEN3_06B.hidden_size, QWEN3_06B.num_hidden_layers);
  const cache = join(dir, 'cache');
  const cold = await firstScore(artifact, cache);
  line('Qwen3-0.6B shape, bf16, nothing cached', seconds(cold.ms), '<= 10 s');
  line('  resident memory of both processes, peak', `${(cold.peakBytes / 1e9).toFixed(2)} GB`, '<= 2.5 GB');
  const warm = await firstScore(artifact, cache);
  line('Qwen3-0.6B shape, compiled', seconds(warm.ms));

  await firstScore('starter', undefined);
  const starter = await firstScore('starter', undefined);
  line('starter guard, warm', seconds(starter.ms), '<= 3 s');
}

async function firstScore(
  ref: string,
  cacheDir: string | undefined,
): Promise<{ ms: number; peakBytes: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [FIRST_SCORE, ref, ...(cacheDir === undefined ? [] : [cacheDir])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  let ms = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ms ||= performance.now() - started;
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the first score of ${ref} ended with ${code}`);
  return { ms, peakBytes: (JSON.parse(out) as { peakBytes: number }).peakBytes };
}
