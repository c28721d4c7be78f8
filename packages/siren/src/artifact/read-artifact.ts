import { UserError } from '@tocsin/core';
import {
  type Artifact,
  type ArtifactConfig,
  type BaseModel,
  type ContentArtifact,
  type ContentConfig,
  type DenseLayer,
  neuronsByLayer,
  parseArtifactConfig,
  poolingOf,
  type SelectedLayer,
  type TrajectoryArtifact,
  type TrajectoryConfig,
} from './artifact.js';
import { headTensors, type NamedBytes, takeTensor } from './head-tensors.js';

/**
 * Reads an artifact from its two files and checks every field and tensor against the others before anything else
 * is loaded. Equivalent to llm-siren 0.2.0 `SirenGuard.from_pretrained` and `AgentSirenGuard.from_pretrained`.
 *
 * @param config  `siren_config.json`
 * @param weights `siren.safetensors`
 * @throws UserError naming the file, the field or tensor, its value and the expected one
 */
export function readArtifact(config: NamedBytes, weights: NamedBytes): Artifact {
  const parsed = parseArtifactConfig(config.file, new TextDecoder().decode(config.bytes));
  const common = {
    baseModel: baseModelOf(parsed),
    maxLength: parsed.inference.max_length,
    defaultThreshold: parsed.inference.default_threshold,
  };
  return parsed.task === 'content'
    ? { ...common, ...readContentHead(config.file, parsed, weights) }
    : { ...common, ...readReadout(config.file, parsed, weights) };
}

function baseModelOf({ base_model }: ArtifactConfig): BaseModel {
  return {
    modelId: base_model.model_id,
    revision: base_model.revision ?? undefined,
    hiddenSize: base_model.hidden_size ?? undefined,
    numLayers: base_model.num_layers ?? undefined,
  };
}

/** The parts that only a content guard has: pooling, selected neurons, MLP. */
function readContentHead(
  file: string,
  config: ContentConfig,
  weights: NamedBytes,
): Pick<ContentArtifact, 'task' | 'pooling' | 'layers' | 'head'> {
  const layers = selectedLayers(file, config);
  checkHeadShape(file, config, layers);
  return { task: 'content', pooling: poolingOf(file, config), layers, head: readHead(weights, config) };
}

function selectedLayers(file: string, config: ContentConfig): SelectedLayer[] {
  const { selected_layers, layer_weights } = config.siren_module;
  const { hidden_size, num_layers } = config.base_model;
  if (new Set(selected_layers).size !== selected_layers.length) {
    throw new UserError(`${file}: siren_module.selected_layers names a layer twice: [${selected_layers}]`);
  }
  const neurons = neuronsByLayer(file, config);
  return [...selected_layers]
    .sort((a, b) => a - b)
    .map((index) => {
      if (num_layers != null && index >= num_layers) {
        throw new UserError(
          `${file}: siren_module.selected_layers has layer ${index}, but base_model.num_layers is ${num_layers} (layers 0 to ${num_layers - 1})`,
        );
      }
      const selected = neurons.get(index);
      if (selected === undefined) {
        throw new UserError(
          `${file}: siren_module.selected_neurons_dict has no neurons for selected layer ${index}`,
        );
      }
      const beyond = selected.find((neuron) => hidden_size != null && neuron >= hidden_size);
      if (beyond !== undefined) {
        throw new UserError(
          `${file}: siren_module.selected_neurons_dict, layer ${index}: neuron ${beyond} is outside base_model.hidden_size ${hidden_size} (0 to ${Number(hidden_size) - 1})`,
        );
      }
      const weight = layer_weights[index] ?? 1;
      if (!Number.isFinite(Math.fround(weight))) {
        throw new UserError(
          `${file}: siren_module.layer_weights, layer ${index}: ${weight} is beyond float32`,
        );
      }
      return { index, weight, neurons: Int32Array.from(selected) };
    });
}

function checkHeadShape(file: string, config: ContentConfig, layers: SelectedLayer[]): void {
  const { input_dim, layer_dims, dropout_rates } = config.mlp;
  const selected = layers.reduce((sum, layer) => sum + layer.neurons.length, 0);
  if (input_dim !== selected) {
    throw new UserError(
      `${file}: mlp.input_dim is ${input_dim}, but ${selected} neurons are selected in ${layers.length} layers`,
    );
  }
  if (layer_dims.length !== dropout_rates.length) {
    throw new UserError(
      `${file}: mlp.layer_dims has ${layer_dims.length} entries and mlp.dropout_rates ${dropout_rates.length}; they must have the same number`,
    );
  }
}

/**
 * The head's linear layers. They sit in a torch Sequential of Linear, ReLU and, only where the rate is above 0,
 * Dropout: so the number in a tensor's name depends on the dropout rates.
 */
function readHead(weights: NamedBytes, config: ContentConfig): DenseLayer[] {
  const tensors = headTensors(weights);
  const take = (name: string, shape: number[]): Float32Array =>
    takeTensor(weights, tensors, name, [shape], 'mlp');
  const { input_dim, layer_dims, dropout_rates, num_classes } = config.mlp;
  const head: DenseLayer[] = [];
  let position = 0;
  let inputs = input_dim;
  for (const [i, outputs] of [...layer_dims, num_classes].entries()) {
    head.push({
      inputs,
      outputs,
      weight: take(`network.${position}.weight`, [outputs, inputs]),
      bias: take(`network.${position}.bias`, [outputs]),
    });
    position += (dropout_rates[i] ?? 0) > 0 ? 3 : 2;
    inputs = outputs;
  }
  const unexpected = [...tensors.keys()];
  if (unexpected.length > 0) {
    throw new UserError(
      `${weights.file}: unexpected tensor ${unexpected[0]}; mlp in siren_config.json describes ${head.length} linear layers`,
    );
  }
  return head;
}

/**
 * The parts that only a trajectory guard has: the number of blocks and the linear readout of the state after the last
 * one. Like the reference, ignores tensors other than the readout's.
 *
 * @throws UserError naming an unsupported readout or rendering
 */
function readReadout(
  file: string,
  config: TrajectoryConfig,
  weights: NamedBytes,
): Pick<TrajectoryArtifact, 'task' | 'blocks' | 'readout'> {
  const { pooling_type } = config.siren_module;
  const { tools, truncation } = config.render;
  requireValue(file, 'siren_module.pooling_type', pooling_type, 'last');
  requireValue(file, 'render.tools', tools, 'rich');
  requireValue(file, 'render.truncation', truncation, 'head_tail');

  const tensors = headTensors(weights);
  const hidden = config.base_model.hidden_size ?? sizeOf(tensors.get('head.weight')?.shape);
  const weight = takeTensor(
    weights,
    tensors,
    'head.weight',
    [[hidden], [1, hidden]],
    'base_model.hidden_size',
  );
  const [bias = 0] = takeTensor(weights, tensors, 'head.bias', [[1], []], 'task');
  return { task: 'trajectory', blocks: blocksOf(file, config), readout: { weight, bias } };
}

function requireValue(file: string, field: string, value: string, known: string): void {
  if (value === known) return;
  throw new UserError(
    `${file}: ${field} is ${JSON.stringify(value)}; for a trajectory guard only "${known}" is supported`,
  );
}

/** State i follows i blocks, so the readout must take the last state that is computed. */
function blocksOf(file: string, { siren_module, base_model }: TrajectoryConfig): number {
  const { hidden_state_index, early_exit_blocks } = siren_module;
  if (hidden_state_index !== early_exit_blocks) {
    throw new UserError(
      `${file}: siren_module.hidden_state_index is ${hidden_state_index} and early_exit_blocks ${early_exit_blocks}; they must be equal`,
    );
  }
  const { num_layers } = base_model;
  if (num_layers != null && early_exit_blocks > num_layers) {
    throw new UserError(
      `${file}: siren_module.early_exit_blocks is ${early_exit_blocks}, but base_model.num_layers is ${num_layers}`,
    );
  }
  return early_exit_blocks;
}

/** Used when the configuration has no hidden size. The backbone's is compared with it later. */
const sizeOf = (shape: readonly number[] | undefined): number => shape?.at(-1) ?? 1;
