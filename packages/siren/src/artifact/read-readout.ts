import { UserError } from '@tocsin/core';
import type { TrajectoryArtifact } from './artifact.js';
import type { TrajectoryConfig } from './artifact-config.js';
import { headTensors, type NamedBytes, takeTensor } from './head-tensors.js';

/**
 * What makes a trajectory guard: how many blocks run, and the linear readout of the state after the last of them.
 * Tensors beside the readout's are not looked at; the reference does not look at them either.
 *
 * @throws UserError for a readout or a rendering that is not built, by name
 */
export function readReadout(
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
    `${file}: ${field} is ${JSON.stringify(value)}; for a trajectory guard only "${known}" is built`,
  );
}

/** State i stands after i blocks: a readout of another state than the last that is run has no meaning. */
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

/** Without a hidden size in the configuration, the readout's own: the backbone's is compared with it later. */
const sizeOf = (shape: readonly number[] | undefined): number => shape?.at(-1) ?? 1;
