import { UserError } from '@tocsin/core';
import { z } from 'zod';

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
type Pooling = 'residual_mean' | 'mlp_mean';
const POOLINGS: readonly Pooling[] = ['residual_mean', 'mlp_mean'];

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

const positive = z.int().positive();
const layerIndex = z.int().nonnegative();
/** The longest context of the supported families. The graph holds a table of this many positions. */
const LONGEST_CONTEXT = 131_072;

const anyConfig = z.object({
  siren_version: z.string().optional(),
  base_model: z.object({
    model_id: z.string().min(1),
    revision: z.string().nullish(),
    hidden_size: positive.nullish(),
    num_layers: positive.nullish(),
  }),
  inference: z.object({
    max_length: positive.max(LONGEST_CONTEXT),
    default_threshold: z.number().min(0).max(1),
  }),
});

const contentConfig = anyConfig.extend({
  task: z.literal('content'),
  siren_module: z.object({
    pooling_type: z.string(),
    selected_layers: z.array(layerIndex).min(1),
    layer_weights: z.record(z.string(), z.number()),
    selected_neurons_dict: z.record(z.string(), z.array(z.int().nonnegative()).min(1)),
  }),
  mlp: z.object({
    input_dim: positive,
    layer_dims: z.array(positive),
    dropout_rates: z.array(z.number().min(0).max(1)),
    num_classes: z.literal(2).default(2),
  }),
});

const trajectoryConfig = anyConfig.extend({
  task: z.literal('trajectory'),
  siren_module: z.object({
    pooling_type: z.string(),
    hidden_state_index: positive,
    early_exit_blocks: positive,
  }),
  render: z.object({ tools: z.string(), truncation: z.string() }),
});

/** `siren_config.json` with every field of the right type. `readArtifact` checks fields against each other. */
export type ArtifactConfig = ContentConfig | TrajectoryConfig;
export type ContentConfig = z.infer<typeof contentConfig>;
export type TrajectoryConfig = z.infer<typeof trajectoryConfig>;

const KNOWN_MAJOR_VERSION = '1';

/**
 * Reads `siren_config.json`: its JSON, its task, its version, and the type of every field.
 * @throws UserError naming the file, the field, its value and the expected one
 */
export function parseArtifactConfig(file: string, json: string): ArtifactConfig {
  const value = parseJson(file, json);
  // llm-siren: a missing task is a content guard.
  const task = value.task ?? 'content';
  const parsed = schemaOf(file, task).safeParse({ ...value, task });
  if (!parsed.success) throw new UserError(`${file}: ${issuesOf(parsed.error)}`);
  const version = parsed.data.siren_version;
  if (version !== undefined && version.split('.')[0] !== KNOWN_MAJOR_VERSION) {
    throw new UserError(
      `${file}: siren_version is ${version}; this Tocsin reads version ${KNOWN_MAJOR_VERSION}.x`,
    );
  }
  return parsed.data;
}

function schemaOf(file: string, task: unknown): z.ZodType<ArtifactConfig> {
  if (task === 'content') return contentConfig;
  if (task === 'trajectory') return trajectoryConfig;
  throw new UserError(`${file}: task is ${JSON.stringify(task)}, expected "content" or "trajectory"`);
}

/** The pooling of a content guard's config. @throws UserError listing those that exist */
export function poolingOf(file: string, config: ContentConfig): Pooling {
  const name = config.siren_module.pooling_type;
  const pooling = POOLINGS.find((known) => known === name);
  if (pooling === undefined) {
    throw new UserError(
      `${file}: siren_module.pooling_type is ${JSON.stringify(name)}, expected ${POOLINGS.join(' or ')}`,
    );
  }
  return pooling;
}

/**
 * The neurons of each layer, from keys like `layer12_residual_mean`. As in the reference, the layer is the part before
 * the first underscore.
 */
export function neuronsByLayer(file: string, config: ContentConfig): Map<number, number[]> {
  const byLayer = new Map<number, number[]>();
  for (const [key, neurons] of Object.entries(config.siren_module.selected_neurons_dict)) {
    const match = /^layer(\d+)(_|$)/.exec(key);
    if (match?.[1] === undefined) {
      throw new UserError(
        `${file}: siren_module.selected_neurons_dict has the key ${JSON.stringify(key)}, expected e.g. "layer3_residual_mean"`,
      );
    }
    const layer = Number(match[1]);
    if (byLayer.has(layer)) {
      throw new UserError(`${file}: siren_module.selected_neurons_dict has layer ${layer} under two keys`);
    }
    byLayer.set(layer, neurons);
  }
  return byLayer;
}

function parseJson(file: string, json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new UserError(`${file} is no valid JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${file} must contain a JSON object`);
  }
  return value as Record<string, unknown>;
}

function issuesOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message.replace(/^Invalid input: /, '')}`)
    .join('; ');
}
