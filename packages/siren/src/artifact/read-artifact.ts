import type { Artifact, BaseModel } from './artifact.js';
import { type ArtifactConfig, parseArtifactConfig } from './artifact-config.js';
import type { NamedBytes } from './head-tensors.js';
import { readContentHead } from './read-content-head.js';
import { readReadout } from './read-readout.js';

/**
 * Reads an artifact out of its two files, and checks every field and tensor against the others before anything else
 * is loaded. Same meaning as llm-siren 0.2.0 `SirenGuard.from_pretrained` and `AgentSirenGuard.from_pretrained`.
 *
 * @param config  `siren_config.json`
 * @param weights `siren.safetensors`
 * @throws UserError naming the file and the field or tensor, what it is and what was expected
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
