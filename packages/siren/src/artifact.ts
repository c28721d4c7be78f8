/** What a content guard's artifact says, checked: everything about a guard but its backbone. */
export interface Artifact {
  task: 'content';
  baseModel: BaseModel;
  pooling: Pooling;
  /** In ascending layer order: the order in which the head takes its features. */
  layers: SelectedLayer[];
  head: DenseLayer[];
  /** Tokens a text is truncated to, special tokens included. */
  maxLength: number;
  /** harmful when score >= threshold. */
  defaultThreshold: number;
}

/** Where in a layer the safety neurons are read: its output, or its MLP block's output before the residual add. */
export type Pooling = 'residual_mean' | 'mlp_mean';
export const POOLINGS: readonly Pooling[] = ['residual_mean', 'mlp_mean'];

/** The backbone as the artifact names it. */
export interface BaseModel {
  /** A hub id, or a directory. */
  modelId: string;
  /** The pinned commit, if it is pinned. */
  revision: string | undefined;
  hiddenSize: number | undefined;
  numLayers: number | undefined;
}

export interface SelectedLayer {
  /** From 0; layer l is read after its block has run. */
  index: number;
  weight: number;
  /** Indices into the hidden state. */
  neurons: Int32Array;
}

/** One linear layer of the head; ReLU follows each but the last. */
export interface DenseLayer {
  inputs: number;
  outputs: number;
  /** [outputs, inputs], row-major. */
  weight: Float32Array;
  /** [outputs] */
  bias: Float32Array;
}

/** The highest layer that the artifact reads: blocks above it are never needed. */
export function lastLayerOf(artifact: Artifact): number {
  return Math.max(...artifact.layers.map((layer) => layer.index));
}
