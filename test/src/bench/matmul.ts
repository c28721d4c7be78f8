import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataType, Graph } from '@tocsin/backbone';
// By the engine's module, which turns off what onnxruntime sends.
import { InferenceSession, Tensor } from '@tocsin/engine/onnxruntime';
import { median } from './report.js';

const SIZE = 2048;
const RUNS = 7;

/** FLOP/s of onnxruntime's plain float32 MatMul of 2048 x 2048 matrices: what the machine can do right now. */
export async function matmulFlops(dir: string): Promise<number> {
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
