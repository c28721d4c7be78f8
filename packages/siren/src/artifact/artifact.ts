/** A checked artifact: everything about a guard except its backbone. */
export type Artifact = ContentArtifact | TrajectoryArtifact;

/** What a guard scores: a text, or an agent's trajectory. */
export type Task = Artifact['task'];

interface AnyArtifact {
  baseModel: BaseModel;
  /** Tokens that an item is truncated to, special tokens included. */
  maxLength: number;
  /** harmful when score >= threshold. */
  defaultThreshold: number;
}

/** A guard of texts (paper arXiv 2604.18519): neurons of several layers, pooled over the tokens, into an MLP. */
export interface ContentArtifact extends AnyArtifact {
  task: 'content';
  pooling: Pooling;
  /** In ascending layer order: the order in which the head takes its features. */
  layers: SelectedLayer[];
  head: DenseLayer[];
}

/** A guard of an agent's trajectory (llm-siren `AgentSirenGuard`): one state at the last token, one linear readout. */
export interface TrajectoryArtifact extends AnyArtifact {
  task: 'trajectory';
  /** Number of blocks to run. The readout takes the residual stream after the last one, before any norm. */
  blocks: number;
  readout: Readout;
}

/** score = sigmoid(weight . state + bias) */
interface Readout {
  /** [hidden] */
  weight: Float32Array;
  bias: number;
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
  if (artifact.task === 'trajectory') return artifact.blocks - 1;
  return Math.max(...artifact.layers.map((layer) => layer.index));
}
