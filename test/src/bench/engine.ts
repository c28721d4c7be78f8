import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataType, Graph } from '@tocsin/backbone';
import { type OpenGuard, openGuard, Scorer } from '@tocsin/engine';
// Imported from the engine, which turns off onnxruntime's telemetry.
import { InferenceSession, Tensor } from '@tocsin/engine/onnxruntime';
import { lastLayerOf } from '@tocsin/siren';
import { benchCorpus, distinctContents } from './corpus.js';
import { line, median, percent, rate, section, times } from './report.js';

const ROWS = 600;
const ROUNDS = 3;

/** The engine alone on mixed rows, relative to the speed of a plain MatMul measured at the same time. */
export async function benchEngine(dir: string, corpus: string | undefined): Promise<void> {
  section(`Engine: starter guard, ${ROWS} rows of ${corpus === undefined ? 'the synthetic mix' : corpus}`);
  const guard = await openGuard('starter', { device: 'cpu', precision: 'float32' });
  const rows = await benchCorpus(corpus, ROWS);
  const distinct = await distinctContents(
    guard,
    rows.map((row) => row.text),
  );
  const tokens = distinct.reduce((sum, ids) => sum + ids.length, 0);
  const flops = distinct.reduce((sum, ids) => sum + usefulFlops(guard, ids.length), 0);

  const rounded = await openGuard('starter', { device: 'cpu', precision: 'int8' });
  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  const int8 = await Scorer.start(rounded, { calibrateAfter: 0 });
  const shares: number[] = [];
  const elapsed: number[] = [];
  const ofInt8: number[] = [];
  const ratios: number[] = [];
  try {
    for (const one of [scorer, int8]) await one.score(distinct.slice(0, 32));
    for (let round = 0; round < ROUNDS; round++) {
      const before = await matmulFlops(dir);
      const started = performance.now();
      await scorer.score(distinct);
      const ms = performance.now() - started;
      const after = await matmulFlops(dir);
      elapsed.push(ms);
      shares.push(flops / (ms / 1000) / ((before + after) / 2));
      line(`round ${round + 1}: MatMul before / after`, `${gflops(before)} / ${gflops(after)}`);
      const again = performance.now();
      await int8.score(distinct);
      const int8Ms = performance.now() - again;
      ofInt8.push(int8Ms);
      ratios.push(ms / int8Ms);
    }
  } finally {
    await Promise.all([scorer.close(), int8.close()]);
  }
  const ms = median(elapsed);
  line('rows (distinct contents)', String(distinct.length));
  line('useful tokens', rate(tokens / (ms / 1000), 'tokens'));
  line('rows', rate(distinct.length / (ms / 1000), 'rows'));
  line('useful FLOP/s', gflops(flops / (ms / 1000)));
  line('share of a plain MatMul', percent(median(shares)), '>= 88 %');
  line('tokens a pass', String(Math.round(scorer.counts.tokens / scorer.counts.passes)));
  line('int8: useful tokens', rate(tokens / (median(ofInt8) / 1000), 'tokens'));
  line('int8: rows', rate(distinct.length / (median(ofInt8) / 1000), 'rows'));
  line('int8: speed relative to float32', times(median(ratios), 2), '>= 2.2 x');
  line('int8: tokens a pass', String(Math.round(int8.counts.tokens / int8.counts.passes)));
}

const gflops = (flops: number): string => `${(flops / 1e9).toFixed(0)} GFLOP/s`;

/**
 * Floating-point operations for a content of `tokens` tokens: linear layers and causal attention of the blocks that are
 * read. Padding, norms, rotation and the head are not counted.
 */
function usefulFlops(guard: OpenGuard, tokens: number): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = guard.compiled.config;
  const attentionWeights = hiddenSize * headDim * (2 * numHeads + 2 * numKvHeads);
  const mlpWeights = 3 * hiddenSize * intermediateSize;
  const linear = 2 * tokens * (attentionWeights + mlpWeights);
  const attended = (tokens * (tokens + 1)) / 2;
  const attention = 2 * 2 * attended * numHeads * headDim;
  return (lastLayerOf(guard.artifact) + 1) * (linear + attention);
}

const SIZE = 2048;
const RUNS = 7;

/** FLOP/s of onnxruntime's plain float32 MatMul of 2048 x 2048 matrices: the machine's current speed. */
async function matmulFlops(dir: string): Promise<number> {
  const graph = new Graph();
  const a = graph.input('a', DataType.FLOAT, [SIZE, SIZE]);
  const b = graph.input('b', DataType.FLOAT, [SIZE, SIZE]);
  graph.op('MatMul', [a, b], {}, 'c');
  graph.output('c', DataType.FLOAT, [SIZE, SIZE]);
  const file = join(dir, 'matmul.onnx');
  await writeFile(file, graph.encode('matmul'));
  const session = await InferenceSession.create(file, { executionProviders: ['cpu'] });
  const matrix = new Tensor('float32', new Float32Array(SIZE * SIZE).fill(0.5), [SIZE, SIZE]);
  await session.run({ a: matrix, b: matrix });
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    await session.run({ a: matrix, b: matrix });
    times.push(performance.now() - started);
  }
  await session.release();
  return (2 * SIZE ** 3) / (median(times) / 1000);
}
