import { execFile } from 'node:child_process';
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openGuard, Scorer } from '@tocsin/engine';
import { makeArtifact, makeCheckpoint } from './make-checkpoint.js';
import { line, memoryOf, rate, seconds, section } from './report.js';

/** The shape of Llama-3.1-8B, from its config.json. */
const LLAMA_31_8B = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  attention_bias: false,
  mlp_bias: false,
  tie_word_embeddings: false,
  rope_theta: 500_000,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  },
  vocab_size: 128_256,
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
};
const TOKENIZER = fileURLToPath(
  new URL('../../fixtures/golden/qwen3-residual/backbone/tokenizer.json', import.meta.url),
);
const COMPILE_ONLY = fileURLToPath(new URL('./compile-only.js', import.meta.url));
/** The checkpoint (16 GB) and the compiled guard, with some reserve. */
const DISK_BYTES = 24e9;
const ROWS = 8;
const ROW_TOKENS = 64;
const GB = 1e9;

/** A random backbone with 8 billion parameters as 4-bit integers: the cost of preparing and scoring. */
export async function benchLarge(dir: string): Promise<void> {
  section('Large: Llama-3.1-8B shape, random bfloat16 weights, quantized to int4');
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < DISK_BYTES) {
    throw new Error(`${dir} has ${(bavail * bsize) / GB} GB free; this needs ${DISK_BYTES / GB} (TMPDIR)`);
  }
  const backbone = join(dir, 'llama-3.1-8b');
  const artifact = join(dir, 'llama-3.1-8b-artifact');
  const cacheDir = join(dir, 'large-cache');
  await makeCheckpoint(backbone, LLAMA_31_8B, TOKENIZER);
  await makeArtifact(artifact, backbone, LLAMA_31_8B.hidden_size, LLAMA_31_8B.num_hidden_layers);

  const { stdout } = await promisify(execFile)(process.execPath, [COMPILE_ONLY, artifact, 'int4', cacheDir]);
  const compiled = JSON.parse(stdout) as { ms: number; before: number; peak: number };
  line('hashing, quantizing, writing', seconds(compiled.ms));
  // Files are read instead of mapped, so the page cache is not included in these figures.
  line('  memory beyond the bare process, peak', gigabytes(compiled.peak - compiled.before), '<= 2 GB');

  const guard = await openGuard(artifact, { precision: 'int4', device: 'cpu', cacheDir });
  const { size } = await stat(join(guard.compiled.dir, 'weights-0.safetensors'));
  line('  weights on disk', gigabytes(size));
  const started = performance.now();
  const scorer = await Scorer.start(guard);
  try {
    line('loading', seconds(performance.now() - started));
    const rows = Array.from({ length: ROWS }, (_, row) =>
      Int32Array.from(
        { length: ROW_TOKENS },
        (_, i) => (7919 * (i + 1) * (row + 1)) % LLAMA_31_8B.vocab_size,
      ),
    );
    await scorer.score(rows.slice(0, 1));
    const began = performance.now();
    const outcomes = await scorer.score(rows);
    const ms = performance.now() - began;
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(failed.error);
    line(`${ROWS} rows of ${ROW_TOKENS} tokens`, rate((ROWS * ROW_TOKENS) / (ms / 1000), 'tokens'));
    const memory = await memoryOf((await scorer.enginePid()) ?? 'self');
    line('  resident memory of the engine process', gigabytes(memory.resident));
    line('  of it its own (the rest: pages of the weights)', gigabytes(memory.own));
    line('  peak', gigabytes(memory.peak), '< 24 GB');
  } finally {
    await scorer.close();
  }
}

const gigabytes = (bytes: number): string => `${(bytes / GB).toFixed(2)} GB`;
