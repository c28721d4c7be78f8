import { UserError } from '@tocsin/errors';
import type { ContentArtifact, DenseLayer, SelectedLayer } from './artifact.js';
import { type ArtifactConfig, neuronsByLayer, parseArtifactConfig, poolingOf } from './artifact-config.js';
import { float32OfBfloat16, float32OfBytes, float32OfFloat16 } from './float-formats.js';
import {
  HEADER_LENGTH_BYTES,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type TensorInfo,
} from './safetensors.js';

/** A file's name (for messages) and what is in it. */
export interface NamedBytes {
  file: string;
  bytes: Uint8Array;
}

/**
 * Reads an artifact out of its two files, and checks every field and tensor against the others before anything else
 * is loaded. Same meaning as llm-siren 0.2.0 `SirenGuard.from_pretrained`.
 *
 * @param config  `siren_config.json`
 * @param weights `siren.safetensors`
 * @throws UserError naming the file and the field or tensor, what it is and what was expected
 */
export function readArtifact(config: NamedBytes, weights: NamedBytes): ContentArtifact {
  const parsed = parseArtifactConfig(config.file, new TextDecoder().decode(config.bytes));
  const layers = selectedLayers(config.file, parsed);
  checkHeadShape(config.file, parsed, layers);
  return {
    task: 'content',
    baseModel: {
      modelId: parsed.base_model.model_id,
      revision: parsed.base_model.revision ?? undefined,
      hiddenSize: parsed.base_model.hidden_size ?? undefined,
      numLayers: parsed.base_model.num_layers ?? undefined,
    },
    pooling: poolingOf(config.file, parsed),
    layers,
    head: readHead(weights, parsed),
    maxLength: parsed.inference.max_length,
    defaultThreshold: parsed.inference.default_threshold,
  };
}

function selectedLayers(file: string, config: ArtifactConfig): SelectedLayer[] {
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

function checkHeadShape(file: string, config: ArtifactConfig, layers: SelectedLayer[]): void {
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
function readHead(weights: NamedBytes, config: ArtifactConfig): DenseLayer[] {
  const tensors = headTensors(weights);
  const { input_dim, layer_dims, dropout_rates, num_classes } = config.mlp;
  const head: DenseLayer[] = [];
  let position = 0;
  let inputs = input_dim;
  for (const [i, outputs] of [...layer_dims, num_classes].entries()) {
    head.push({
      inputs,
      outputs,
      weight: readTensor(weights, tensors, `network.${position}.weight`, [outputs, inputs]),
      bias: readTensor(weights, tensors, `network.${position}.bias`, [outputs]),
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

function headTensors(weights: NamedBytes): Map<string, TensorInfo> {
  const { file, bytes } = weights;
  const length = safetensorsHeaderLength(file, bytes.subarray(0, HEADER_LENGTH_BYTES), bytes.byteLength);
  const header = bytes.subarray(HEADER_LENGTH_BYTES, HEADER_LENGTH_BYTES + length);
  return parseSafetensorsHeader(file, header, bytes.byteLength);
}

/** Takes a tensor out of `tensors`: what is left over at the end was not expected. */
function readTensor(
  weights: NamedBytes,
  tensors: Map<string, TensorInfo>,
  name: string,
  shape: number[],
): Float32Array {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw new UserError(
      `${weights.file}: tensor ${name} is missing (it has ${[...tensors.keys()].join(', ') || 'none left'})`,
    );
  }
  tensors.delete(name);
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
    throw new UserError(
      `${weights.file}: tensor ${name} has shape [${tensor.shape}], mlp in siren_config.json makes it [${shape}]`,
    );
  }
  const values = toFloat32(
    weights.file,
    tensor,
    weights.bytes.subarray(tensor.offset, tensor.offset + tensor.byteLength),
  );
  if (!values.every(Number.isFinite))
    throw new UserError(`${weights.file}: tensor ${name} holds values that are no finite numbers`);
  return values;
}

function toFloat32(file: string, tensor: TensorInfo, bytes: Uint8Array): Float32Array {
  switch (tensor.dtype) {
    case 'F32':
      return float32OfBytes(bytes);
    case 'F16':
      return float32OfFloat16(bytes);
    case 'BF16':
      return float32OfBfloat16(bytes);
    default:
      throw new UserError(
        `${file}: tensor ${tensor.name} has dtype ${tensor.dtype}, expected F32, F16 or BF16`,
      );
  }
}
