import type { BackboneConfig } from '@tocsin/backbone';
import { UserError } from '@tocsin/core';
import type { Artifact } from '@tocsin/siren';

/**
 * An artifact and a backbone that were not made for each other give numbers that mean nothing.
 * @throws UserError naming what the artifact says and what the backbone has
 */
export function checkFits(artifact: Artifact, config: BackboneConfig): void {
  const { modelId, hiddenSize, numLayers } = artifact.baseModel;
  const refuse = (what: string): never => {
    throw new UserError(`the backbone does not fit the artifact: ${what}`, {
      hint: `The artifact was trained on ${modelId}.`,
    });
  };
  if (hiddenSize !== undefined && hiddenSize !== config.hiddenSize) {
    refuse(`base_model.hidden_size is ${hiddenSize}, the backbone's is ${config.hiddenSize}`);
  }
  if (numLayers !== undefined && numLayers !== config.numLayers) {
    refuse(`base_model.num_layers is ${numLayers}, the backbone has ${config.numLayers}`);
  }
  if (artifact.task === 'trajectory') {
    const { blocks, readout } = artifact;
    if (blocks > config.numLayers)
      refuse(`the state after ${blocks} blocks is read, the backbone has ${config.numLayers}`);
    if (readout.weight.length !== config.hiddenSize)
      refuse(`the readout takes ${readout.weight.length} numbers, the hidden size is ${config.hiddenSize}`);
    return;
  }
  for (const { index, neurons } of artifact.layers) {
    if (index >= config.numLayers)
      refuse(`layer ${index} is selected, the backbone has ${config.numLayers} layers`);
    const beyond = neurons.find((neuron) => neuron >= config.hiddenSize);
    if (beyond !== undefined)
      refuse(`neuron ${beyond} of layer ${index} is selected, the hidden size is ${config.hiddenSize}`);
  }
}
