import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenGuard, openGuard, PRECISIONS, type Precision, Scorer } from '@tocsin/engine';
import { benchCorpus } from './corpus.js';
import { distinctContents } from './distinct-contents.js';
import { memoryOf } from './memory.js';
import { median, section } from './report.js';
import { unquantizedBackbone } from './unquantized-backbone.js';

const ROWS = 100;
const ROUNDS = 2;
const THRESHOLD = 0.5;
const MB = 1e6;

/** What each precision costs and brings on the CPU: the starter guard's scores against its own in float32. */
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
  // As fast as the one above: only its scores are looked at.
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
    console.log('              speed   on disk   resident     own   max |d|   mean |d|   flips at 0.5');
    await show('float32', 1, float32, scorer, reference, reference);
    for (const precision of PRECISIONS.filter((one) => one !== 'float32')) {
      const guard = await open(precision);
      const other = await Scorer.start(guard);
      try {
        const scores = await scoresOf(other, contents);
        await show(
          precision,
          await speedRatio(scorer, other, contents, rounds),
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

/** Turn by turn: what else the machine does slows both. */
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
    mean.toFixed(5).padStart(10),
    `${flips} of ${scores.length}`.padStart(14),
  ];
  console.log(`  ${precision.padEnd(9)}${cells.join(' ')}`);
}
