import type { BackboneConfig } from './backbone-config.js';

/** Where a checkpoint's weights are, and what they are. Nothing of the weights themselves is in memory. */
export interface Checkpoint {
  config: BackboneConfig;
  /** By Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  tensors: ReadonlyMap<string, CheckpointTensor>;
}

/** A tensor's place in a file. Linear weights are [outputs, inputs]. */
export interface CheckpointTensor {
  name: string;
  dtype: string;
  shape: number[];
  file: string;
  /** Absolute, bytes. */
  offset: number;
  byteLength: number;
}
