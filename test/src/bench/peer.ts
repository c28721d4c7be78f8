import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { placeGguf } from '@tocsin/backbone';
import { openGuard, Scorer } from '@tocsin/engine';
import { resolveGuard } from '@tocsin/models';
import { benchCorpus, tokenIdsOf, writeCorpus } from './corpus.js';
import { line, rate, section, table, times } from './report.js';

const ROWS = 64;
const SCRIPT = fileURLToPath(new URL('../../src/bench/reference.py', import.meta.url));

/** The reference's result in one setting. */
interface Reference {
  dtype: 'float32' | 'bfloat16';
  /** Order of the rows: as in the file, or by length. */
  order: 'file' | 'length';
  batch: number;
  seconds: number;
  scores: number[];
}

/** The setting that `SirenGuard.score_batch` has when nothing is chosen. */
const isDefault = ({ dtype, order }: Reference): boolean => dtype === 'bfloat16' && order === 'file';

/** The reference runtime in its default and in its best setting, compared with the engine on the same rows. */
export async function benchPeer(
  dir: string,
  corpus: string | undefined,
  python: string | undefined,
): Promise<void> {
  section(`Reference runtime: llm-siren 0.2.0, the first ${ROWS} rows`);
  if (python === undefined) {
    console.log('  not run: give a Python that has llm-siren 0.2.0 with --peer <python>');
    return;
  }
  const rows = await benchCorpus(corpus, ROWS);
  const file = await writeCorpus(dir, rows);
  const artifact = await referenceGuard(join(dir, 'reference'));
  const texts = rows.map((row) => row.text);

  const before = [await engineScores(texts, 'float32'), await engineScores(texts, 'int8')];
  const { stdout } = await promisify(execFile)(python, [SCRIPT, artifact, file], { maxBuffer: 1 << 26 });
  // Before and after the reference, because the machine may be busier at one time than at another.
  const after = [await engineScores(texts, 'float32'), await engineScores(texts, 'int8')];
  const [float32, int8] = [fastest(before[0], after[0]), fastest(before[1], after[1])];
  const settings = stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Reference);
  const speed = (ms: number): string => rate(rows.length / (ms / 1000), 'rows');
  table(
    ['llm-siren', 'rows', 'batch', 'speed'],
    settings.map(({ dtype, order, batch, seconds }) => [
      dtype,
      order === 'file' ? 'file order' : 'by length',
      String(batch),
      speed(1000 * seconds),
    ]),
  );
  const exact = settings.find(({ dtype }) => dtype === 'float32')?.scores ?? [];
  const worst = Math.max(...float32.scores.map((score, i) => Math.abs(score - (exact[i] ?? Number.NaN))));
  line('max |float32 score - float32 reference|', worst.toExponential(1), '<= 1e-4');
  const best = 1000 * Math.min(...settings.map(({ seconds }) => seconds));
  const usual = 1000 * (settings.find(isDefault)?.seconds ?? Number.NaN);
  for (const [name, { ms }, target] of [
    ['float32', float32, '>= 1.6 x'],
    ['int8', int8, '>= 4 x'],
  ] as const) {
    line(`Tocsin, ${name}`, speed(ms));
    line("  compared with the reference's best", times(best / ms), target);
    line("  compared with the reference's default", times(usual / ms));
  }
}

interface Measured {
  scores: number[];
  ms: number;
}

function fastest(...rounds: (Measured | undefined)[]): Measured {
  const measured = rounds.filter((round) => round !== undefined);
  return measured.reduce((best, round) => (round.ms < best.ms ? round : best));
}

/** The best of three rounds: whatever else runs on the machine makes a round slower. */
const ROUNDS = 3;

async function engineScores(texts: string[], precision: 'float32' | 'int8'): Promise<Measured> {
  const guard = await openGuard('starter', { device: 'cpu', precision });
  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  let ms = Number.POSITIVE_INFINITY;
  let scores: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const outcomes = await scorer.score(await tokenIdsOf(guard, texts));
    ms = Math.min(ms, performance.now() - started);
    scores = outcomes.map((outcome) => outcome.score ?? Number.NaN);
  }
  await scorer.close();
  return { scores, ms };
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
