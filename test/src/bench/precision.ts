import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenGuard, openGuard, PRECISIONS, type Precision, Scorer } from '@tocsin/engine';
import { benchCorpus, distinctContents, randomFrom } from './corpus.js';
import { median, memoryOf, quantile, section } from './report.js';

const ROWS = 1000;
/** Rows whose speed is measured. */
const TIMED_ROWS = 150;
const ROUNDS = 2;
const THRESHOLD = 0.5;
const MB = 1e6;

/** Speed and drift of each precision on the CPU: the starter guard compared with itself in float32. */
export async function benchPrecision(dir: string, corpus: string | undefined): Promise<void> {
  const starter = await openGuard('starter', { device: 'cpu' });
  const of = corpus === undefined ? 'the synthetic mix' : corpus;
  section(`Precision: the starter guard (weights out of Q4_1), ${ROWS} rows of ${of}, CPU, against float32`);
  await compareAll(
    starter,
    (precision) => openGuard('starter', { device: 'cpu', precision }),
    corpus,
    ROUNDS,
  );

  section('The same backbone as if it had never been quantized: weights spread over their steps, bfloat16');
  const backbone = await unquantizedBackbone(starter, join(dir, 'unquantized'));
  const cacheDir = join(dir, 'precision-cache');
  const open = (precision: Precision): Promise<OpenGuard> =>
    openGuard(starter.ref, { device: 'cpu', precision, backbone, cacheDir });
  // The same speed as the one above: only its scores are compared.
  await compareAll(await open('float32'), open, corpus, 0);
}

async function compareAll(
  float32: OpenGuard,
  open: (precision: Precision) => Promise<OpenGuard>,
  corpus: string | undefined,
  rounds: number,
): Promise<void> {
  const rows = await benchCorpus(corpus, ROWS);
  const contents = await distinctContents(
    float32,
    rows.map(({ text }) => text),
  );
  const scorer = await Scorer.start(float32);
  try {
    const reference = await scoresOf(scorer, contents);
    console.log(
      '              speed   on disk   resident     own   max |d|   p99 |d|   mean |d|   flips at 0.5',
    );
    await show('float32', 1, float32, scorer, reference, reference);
    for (const precision of PRECISIONS.filter((one) => one !== 'float32')) {
      const guard = await open(precision);
      const other = await Scorer.start(guard);
      try {
        const scores = await scoresOf(other, contents);
        await show(
          precision,
          await speedRatio(scorer, other, contents.slice(0, TIMED_ROWS), rounds),
          guard,
          other,
          reference,
          scores,
        );
      } finally {
        await other.close();
      }
    }
  } finally {
    await scorer.close();
  }
}

async function scoresOf(scorer: Scorer, contents: Int32Array[]): Promise<number[]> {
  const outcomes = await scorer.score(contents);
  return outcomes.map(({ score, error }) => {
    if (score === undefined) throw new Error(error);
    return score;
  });
}

/** Alternating, so that other load affects both. */
async function speedRatio(
  float32: Scorer,
  other: Scorer,
  contents: Int32Array[],
  rounds: number,
): Promise<number | undefined> {
  if (rounds === 0) return undefined;
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [base, ours] = [await msOf(float32, contents), await msOf(other, contents)];
    ratios.push(base / ours);
  }
  return median(ratios);
}

async function msOf(scorer: Scorer, contents: Int32Array[]): Promise<number> {
  const started = performance.now();
  await scorer.score(contents);
  return performance.now() - started;
}

async function show(
  precision: Precision,
  speed: number | undefined,
  guard: OpenGuard,
  scorer: Scorer,
  reference: number[],
  scores: number[],
): Promise<void> {
  const distances = scores.map((score, i) => Math.abs(score - (reference[i] ?? Number.NaN)));
  const flips = scores.filter((score, i) => score >= THRESHOLD !== (reference[i] ?? 0) >= THRESHOLD).length;
  const memory = await memoryOf((await scorer.enginePid()) ?? 'self');
  const { size } = await stat(join(guard.compiled.dir, 'weights-0.safetensors'));
  const mean = distances.reduce((sum, one) => sum + one, 0) / distances.length;
  const cells = [
    (speed === undefined ? '' : `${speed.toFixed(2)} x`).padStart(9),
    `${Math.round(size / MB)} MB`.padStart(9),
    `${Math.round(memory.resident / MB)} MB`.padStart(10),
    `${Math.round(memory.own / MB)} MB`.padStart(7),
    Math.max(...distances)
      .toFixed(5)
      .padStart(9),
    quantile(distances, 0.99).toFixed(5).padStart(9),
    mean.toFixed(5).padStart(10),
    `${flips} of ${scores.length}`.padStart(14),
  ];
  console.log(`  ${precision.padEnd(9)}${cells.join(' ')}`);
}

/** Block size of the weights in a Q4_1 file. */
const BLOCK = 32;
const STEPS = 15;

/**
 * The starter's backbone is distributed as 4-bit integers. To measure precisions on a backbone trained in bfloat16, this
 * function simulates one: it moves each weight at random within its quantization step, so that the weights are distributed
 * like trained ones, and stores them as bfloat16.
 * @param guard the starter in float32, compiled
 * @returns a checkpoint directory
 */
async function unquantizedBackbone(guard: OpenGuard, dir: string): Promise<string> {
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
