import { UserError } from '@tocsin/core';
import type { BackboneConfig } from './backbone-config.js';
import type { Checkpoint, CheckpointTensor } from './checkpoint.js';

/** Hugging Face names of the tensors that the graph reads. */
export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
export const layerTensor = (layer: number, part: string): string => `model.layers.${layer}.${part}`;

/** True for the matrix of a block's linear layer. */
export const isLinearWeight = (name: string): boolean => name.endsWith('_proj.weight');

/** The tensors to read, with their required shapes. */
export type TensorPlan = Map<string, number[]>;

/**
 * The tensors that scoring reads: the embedding, blocks 0 to `lastLayer`, and the final norm if `lastLayer` is the last
 * block. The rest (higher blocks, the lm_head) is not read.
 */
export function planTensors(config: BackboneConfig, lastLayer: number): TensorPlan {
  const plan: TensorPlan = new Map([[EMBEDDING, [config.vocabSize, config.hiddenSize]]]);
  for (let layer = 0; layer <= lastLayer; layer++) {
    for (const [part, shape] of layerShapes(config)) plan.set(layerTensor(layer, part), shape);
  }
  if (lastLayer === config.numLayers - 1) plan.set(FINAL_NORM, [config.hiddenSize]);
  return plan;
}

/**
 * The planned tensors, checked for type and shape.
 * @throws UserError naming the file and the first tensor that is missing or wrong
 */
export function takeTensors(
  checkpoint: Checkpoint,
  plan: TensorPlan,
  source: string,
): Map<string, CheckpointTensor> {
  const taken = new Map<string, CheckpointTensor>();
  for (const [name, shape] of plan) {
    const tensor = checkpoint.tensors.get(name);
    if (tensor === undefined) throw new UserError(`${source}: tensor ${name} is missing`);
    if (!READABLE.has(tensor.dtype)) {
      throw new UserError(
        `${tensor.file}: tensor ${name} has dtype ${tensor.dtype}, expected ${[...READABLE].join(', ')}`,
      );
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
      throw new UserError(
        `${tensor.file}: tensor ${name} has shape [${tensor.shape}], config.json makes it [${shape}]`,
      );
    }
    taken.set(name, tensor);
  }
  return taken;
}

const READABLE = new Set(['F32', 'F16', 'BF16']);

function layerShapes(config: BackboneConfig): [string, number[]][] {
  const { hiddenSize, intermediateSize, headDim } = config;
  const queries = config.numHeads * headDim;
  const keys = config.numKvHeads * headDim;
  const linear = (part: string, outputs: number, inputs: number, bias: boolean): [string, number[]][] => [
    [`${part}.weight`, [outputs, inputs]],
    ...(bias ? [[`${part}.bias`, [outputs]] as [string, number[]]] : []),
  ];
  return [
    ['input_layernorm.weight', [hiddenSize]],
    ...linear('self_attn.q_proj', queries, hiddenSize, config.attentionBias),
    ...linear('self_attn.k_proj', keys, hiddenSize, config.attentionBias),
    ...linear('self_attn.v_proj', keys, hiddenSize, config.attentionBias),
    ...linear('self_attn.o_proj', hiddenSize, queries, config.attentionBias),
    ...(config.family === 'qwen3'
      ? ([
          ['self_attn.q_norm.weight', [headDim]],
          ['self_attn.k_norm.weight', [headDim]],
        ] as [string, number[]][])
      : []),
    ['post_attention_layernorm.weight', [hiddenSize]],
    ...linear('mlp.gate_proj', intermediateSize, hiddenSize, config.mlpBias),
    ...linear('mlp.up_proj', intermediateSize, hiddenSize, config.mlpBias),
    ...linear('mlp.down_proj', hiddenSize, intermediateSize, config.mlpBias),
  ];
}
