import { existsSync } from 'node:fs';
import { DataType, Graph } from '@tocsin/backbone';
import { unsignedFileOf } from '../compiled/unsigned-file.js';
import type { EngineOptions } from './engine-protocol.js';
import { InferenceSession, Tensor } from './onnxruntime.js';
import { sessionOptions } from './session-options.js';

/** Loads a graph; of one in 8-bit arithmetic, the variant whose sums are exact on this machine. */
export async function loadModel(
  options: Pick<EngineOptions, 'modelFile' | 'device' | 'threads' | 'unoptimized'>,
): Promise<InferenceSession> {
  const unsigned = unsignedFileOf(options.modelFile);
  const file = existsSync(unsigned) && (await signedSumsSaturate()) ? unsigned : options.modelFile;
  return InferenceSession.create(file, sessionOptions(options));
}

/** Inputs of one output of the probe. */
const INPUTS = 64;

/**
 * Whether onnxruntime's kernel for unsigned by signed bytes saturates here: on x86 with AVX2 and without VNNI it adds
 * pairs of products in 16 bits.
 */
async function signedSumsSaturate(): Promise<boolean> {
  const graph = new Graph();
  const values = graph.input('values', DataType.UINT8, [1, INPUTS]);
  const weight = graph.constant('weight', [INPUTS, 1], new Int8Array(INPUTS).fill(127));
  graph.op('MatMulInteger', [values, weight], {}, 'sums');
  graph.output('sums', DataType.INT32, [1, 1]);
  const session = await InferenceSession.create(graph.encode('saturation'), { executionProviders: ['cpu'] });
  try {
    const { sums } = await session.run({
      values: new Tensor('uint8', new Uint8Array(INPUTS).fill(255), [1, INPUTS]),
    });
    return sums?.data[0] !== INPUTS * 127 * 255;
  } finally {
    await session.release();
  }
}
