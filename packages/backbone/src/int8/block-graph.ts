import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { layerTensor } from '../checkpoint/tensor-plan.js';
import { type PlacedWeights, WeightSource } from '../checkpoint/weight-source.js';
import { attention } from '../graph/attention.js';
import { BATCH_INPUTS } from '../graph/batch-graph.js';
import { gated, NORM_1, NORM_2 } from '../graph/decoder-blocks.js';
import { addAndNorm, linear, rmsNorm } from '../graph/layers.js';
import { plainAttention } from '../graph/row-attention.js';
import { Graph } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';

/** Inputs of a block graph: these, and the row layout of BATCH_INPUTS (pad_index, unpad_index, longest). */
export const BLOCK_STATES = 'states';
/** float32 [tokens, hidden]: the residual stream after the block. */
export const BLOCK_RESULT = 'next_states';
/** float32 [neurons]: largest |activation| of each neuron of the MLP over all tokens. */
export const BLOCK_PEAKS = 'peaks';

/**
 * One block of a backbone in float32, for measuring its activations.
 * @param positions largest number of tokens of a row
 * @returns the bytes of an `.onnx` file
 */
export function buildBlockGraph(
  config: BackboneConfig,
  layer: number,
  tensors: PlacedWeights,
  positions: number,
): Uint8Array {
  const { hiddenSize, intermediateSize, rmsNormEps } = config;
  const graph = new Graph();
  const states = graph.input(BLOCK_STATES, DataType.FLOAT, ['tokens', hiddenSize]);
  const layout = {
    padIndex: graph.input(BATCH_INPUTS.padIndex, DataType.INT64, ['rows', 'longest']),
    unpadIndex: graph.input(BATCH_INPUTS.unpadIndex, DataType.INT64, ['tokens']),
    longest: graph.input(BATCH_INPUTS.longest, DataType.INT32, []),
  };
  const weights = new WeightSource(graph, tensors);
  const attend = plainAttention(graph, weights.casts, config, layout, positions, 'cpu');
  const normed = rmsNorm(graph, states, weights.float32(layerTensor(layer, NORM_1)), rmsNormEps);
  const attended = attention(graph, weights, config, layer, normed, attend);
  const norm = weights.float32(layerTensor(layer, NORM_2));
  const middle = addAndNorm(graph, states, attended, norm, rmsNormEps);
  const name = (part: string): string => layerTensor(layer, `mlp.${part}_proj`);
  const activations = gated(graph, weights, middle.normed, name('gate'), name('up'));
  graph.op('Add', [middle.sum, linear(graph, weights, name('down'), activations)], {}, BLOCK_RESULT);
  const sizes = graph.op('Abs', [activations]);
  graph.op('ReduceMax', [sizes, graph.shape([0])], { keepdims: { int: 0 } }, BLOCK_PEAKS);
  graph.output(BLOCK_RESULT, DataType.FLOAT, ['tokens', hiddenSize]);
  graph.output(BLOCK_PEAKS, DataType.FLOAT, [intermediateSize]);
  return graph.encode('tocsin_block');
}
