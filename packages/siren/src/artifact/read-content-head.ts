import { UserError } from '@tocsin/core';
import type { ContentArtifact, DenseLayer, SelectedLayer } from './artifact.js';
import { type ContentConfig, neuronsByLayer, poolingOf } from './artifact-config.js';
import { headTensors, type NamedBytes, takeTensor } from './head-tensors.js';

/** What makes a content guard: pooling, selected neurons, MLP. */
export function readContentHead(
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
