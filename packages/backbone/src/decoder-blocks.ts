import type { Pooling } from '@tocsin/siren';
import type { BackboneConfig } from './backbone-config.js';
import type { Graph, Value } from './onnx/graph.js';
import { ropeTables } from './rope.js';
import { EMBEDDING, FINAL_NORM, layerTensor } from './tensor-plan.js';
import type { WeightSource } from './weight-source.js';

/** A packed batch's graph inputs (see CONTENT_INPUTS). */
export interface BatchInputs {
  tokenIds: Value;
  padIndex: Value;
  unpadIndex: Value;
  lastPosition: Value;
  longest: Value;
}

export interface BlockOptions {
  /** The last block to build. */
  lastLayer: number;
  /** Positions that the rotary tables cover. */
  maxLength: number;
  /** Which value of a block is its tap. */
  pooling: Pooling;
}

/**
 * The backbone's blocks 0 to `lastLayer` for packed tokens.
 * @returns each block's tap, float32 [tokens, hidden]: for `residual_mean` the reference's `hidden_states[l + 1]`
 *   (after the final norm for the very last block), for `mlp_mean` the MLP's output before the residual add
 */
export function decoderBlocks(
  graph: Graph,
  weights: WeightSource,
  config: BackboneConfig,
  batch: BatchInputs,
  options: BlockOptions,
): Value[] {
  const rope = ropeConstants(graph, config, options.maxLength);
  const taps: Value[] = [];
  const embedded = graph.op('Gather', [weights.stored(EMBEDDING), batch.tokenIds]);
  let residual = weights.cast(embedded, EMBEDDING);
  let normed = rmsNorm(graph, residual, weights.float32(layerTensor(0, NORM_1)), config.rmsNormEps);

  for (let layer = 0; layer <= options.lastLayer; layer++) {
    const attended = attention(graph, weights, config, batch, rope, layer, normed);
    const middle = addAndNorm(
      graph,
      residual,
      attended,
      weights.float32(layerTensor(layer, NORM_2)),
      config.rmsNormEps,
    );
    const mlp = gatedMlp(graph, weights, layer, middle.normed);
    const next = layer < options.lastLayer ? layerTensor(layer + 1, NORM_1) : undefined;
    const final = layer === config.numLayers - 1 ? FINAL_NORM : undefined;
    const norm = next ?? final;
    if (norm === undefined) {
      // The last block read, with others above it: its output goes nowhere but into the tap.
      if (options.pooling === 'residual_mean') residual = graph.op('Add', [middle.sum, mlp]);
    } else {
      const end = addAndNorm(graph, middle.sum, mlp, weights.float32(norm), config.rmsNormEps);
      residual = final === undefined ? end.sum : end.normed;
      normed = end.normed;
    }
    taps.push(options.pooling === 'mlp_mean' ? mlp : residual);
  }
  return taps;
}

const NORM_1 = 'input_layernorm.weight';
const NORM_2 = 'post_attention_layernorm.weight';

function ropeConstants(graph: Graph, config: BackboneConfig, positions: number): { cos: Value; sin: Value } {
  const tables = ropeTables(config.rope, config.headDim, positions);
  const shape = [positions, config.headDim / 2];
  return {
    cos: graph.constant('rope_cos', shape, tables.cos),
    sin: graph.constant('rope_sin', shape, tables.sin),
  };
}

function attention(
  graph: Graph,
  weights: WeightSource,
  config: BackboneConfig,
  batch: BatchInputs,
  rope: { cos: Value; sin: Value },
  layer: number,
  hidden: Value,
): Value {
  const project = (name: string): Value =>
    linear(graph, weights, layerTensor(layer, `self_attn.${name}_proj`), hidden);
  const normed = (value: Value, name: string, heads: number): Value =>
    config.family === 'qwen3'
      ? headNorm(
          graph,
          value,
          weights.float32(layerTensor(layer, `self_attn.${name}_norm.weight`)),
          heads,
          config,
        )
      : value;
  const sideBySide = (value: Value): Value => graph.op('Gather', [value, batch.padIndex]);

  const [out = ''] = graph.contrib(
    'GroupQueryAttention',
    [
      sideBySide(normed(project('q'), 'q', config.numHeads)),
      sideBySide(normed(project('k'), 'k', config.numKvHeads)),
      sideBySide(project('v')),
      '', // no past keys
      '', // no past values
      batch.lastPosition,
      batch.longest,
      rope.cos,
      rope.sin,
    ],
    {
      num_heads: { int: config.numHeads },
      kv_num_heads: { int: config.numKvHeads },
      do_rotary: { int: 1 },
      scale: { float: 1 / Math.sqrt(config.headDim) },
    },
    // The operator wants its present keys and values named, though nothing reads them.
    [undefined, undefined, undefined],
  );
  const flat = graph.op('Reshape', [out, shapeConstant(graph, [-1, config.numHeads * config.headDim])]);
  const packed = graph.op('Gather', [flat, batch.unpadIndex]);
  return linear(graph, weights, layerTensor(layer, 'self_attn.o_proj'), packed);
}

/** Qwen3's norm of each head's queries or keys, before the rotation. */
function headNorm(graph: Graph, value: Value, weight: Value, heads: number, config: BackboneConfig): Value {
  const perHead = graph.op('Reshape', [value, shapeConstant(graph, [-1, heads, config.headDim])]);
  const normed = rmsNorm(graph, perHead, weight, config.rmsNormEps);
  return graph.op('Reshape', [normed, shapeConstant(graph, [-1, heads * config.headDim])]);
}

/** down(silu(gate(x)) * up(x)) */
function gatedMlp(graph: Graph, weights: WeightSource, layer: number, hidden: Value): Value {
  const project = (name: string, value: Value): Value =>
    linear(graph, weights, layerTensor(layer, `mlp.${name}_proj`), value);
  // QuickGelu with alpha 1 is x * sigmoid(x): silu in one pass over memory.
  const [gate = ''] = graph.contrib('QuickGelu', [project('gate', hidden)], { alpha: { float: 1 } });
  return project('down', graph.op('Mul', [gate, project('up', hidden)]));
}

/** Linear weights are [outputs, inputs]: FusedMatMul reads them transposed, so that no copy is turned at load. */
function linear(graph: Graph, weights: WeightSource, name: string, value: Value): Value {
  const [product = ''] = graph.contrib('FusedMatMul', [value, weights.float32(`${name}.weight`)], {
    transB: { int: 1 },
  });
  return weights.has(`${name}.bias`) ? graph.op('Add', [product, weights.float32(`${name}.bias`)]) : product;
}

function rmsNorm(graph: Graph, value: Value, weight: Value, epsilon: number): Value {
  return graph.op('SimplifiedLayerNormalization', [value, weight], {
    axis: { int: -1 },
    epsilon: { float: epsilon },
  });
}

/** Residual add and RMSNorm in one operator, which gives back the sum too. */
function addAndNorm(
  graph: Graph,
  residual: Value,
  value: Value,
  weight: Value,
  epsilon: number,
): { normed: Value; sum: Value } {
  const [normed = '', , , sum = ''] = graph.contrib(
    'SkipSimplifiedLayerNormalization',
    [residual, value, weight],
    { epsilon: { float: epsilon } },
    [undefined, '', '', undefined],
  );
  return { normed, sum };
}

function shapeConstant(graph: Graph, shape: number[]): Value {
  return graph.sharedIntegers(`shape_${shape.join('x').replace('-1', 'n')}`, shape);
}
