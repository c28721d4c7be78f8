import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { placeGguf } from '@tocsin/backbone';
import { openGuard, Scorer } from '@tocsin/engine';
import { resolveGuard } from '@tocsin/models';
import { benchCorpus, tokenIdsOf, writeCorpus } from './corpus.js';
import { line, rate, section, times } from './report.js';

const ROWS = 64;
const SCRIPT = fileURLToPath(new URL('./reference.py', import.meta.url));

/** The reference runtime on the first rows in file order, compared with the engine on the same rows. */
export async function benchPeer(
  dir: string,
  corpus: string | undefined,
  python: string | undefined,
): Promise<void> {
  section(`Reference runtime: llm-siren, float32, batch 32, first ${ROWS} rows in file order`);
  if (python === undefined) {
    console.log('  not run: give a Python that has llm-siren 0.2.0 with --peer <python>');
    return;
  }
  const rows = await benchCorpus(corpus, ROWS);
  const file = await writeCorpus(dir, rows);
  const artifact = await referenceGuard(join(dir, 'reference'));

  const ours = await engineScores(rows.map((row) => row.text));
  const { stdout } = await promisify(execFile)(python, [SCRIPT, artifact, file], { maxBuffer: 1 << 26 });
  const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { seconds: number; scores: number[] };

  const worst = Math.max(
    ...ours.scores.map((score, i) => Math.abs(score - (theirs.scores[i] ?? Number.NaN))),
  );
  line('max |score - reference|', worst.toExponential(1), '<= 1e-4');
  line('reference', rate(rows.length / theirs.seconds, 'rows'));
  line('Tocsin engine', rate(rows.length / (ours.ms / 1000), 'rows'));
  line('ratio', times((1000 * theirs.seconds) / ours.ms), '>= 20 x');
}

async function engineScores(texts: string[]): Promise<{ scores: number[]; ms: number }> {
  const guard = await openGuard('starter');
  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  await scorer.score(await tokenIdsOf(guard, texts.slice(0, 2)));
  const started = performance.now();
  const outcomes = await scorer.score(await tokenIdsOf(guard, texts));
  const ms = performance.now() - started;
  await scorer.close();
  return { scores: outcomes.map((outcome) => outcome.score ?? Number.NaN), ms };
}

/** The starter guard for the reference: a Hugging Face directory with float32 weights. */
export async function referenceGuard(dir: string): Promise<string> {
  const { artifact, backbone } = await resolveGuard('starter');
  if (backbone.kind !== 'gguf') throw new Error('the starter guard has a GGUF backbone');
  const model = join(dir, 'model');
  await mkdir(model, { recursive: true });
  const { config } = await placeGguf(
    backbone.file,
    model,
    join(model, 'tokenizer.json'),
    ({ numLayers }) => numLayers - 1,
  );
  await rename(join(model, 'weights-0.safetensors'), join(model, 'model.safetensors'));
  await writeFile(
    join(model, 'config.json'),
    JSON.stringify({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      num_hidden_layers: config.numLayers,
      num_attention_heads: config.numHeads,
      num_key_value_heads: config.numKvHeads,
      head_dim: config.headDim,
      rms_norm_eps: config.rmsNormEps,
      vocab_size: config.vocabSize,
      rope_theta: config.rope.theta,
      tie_word_embeddings: true,
    }),
  );
  await writeFile(
    join(model, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', eos_token: '<|im_end|>' }),
  );
  const siren = JSON.parse(await readFile(artifact.config, 'utf8')) as { base_model: { model_id: string } };
  siren.base_model.model_id = model;
  await writeFile(join(dir, 'siren_config.json'), JSON.stringify(siren));
  await copyFile(artifact.weights, join(dir, 'siren.safetensors'));
  return dir;
}
