import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { messageOf, UserError } from '@tocsin/errors';
import { pathKind } from './path-kind.js';
import { resolveBackbone } from './resolve-backbone.js';
import type { BackboneSource } from './sources.js';

/**
 * The backbone that an artifact names in `base_model.model_id`, when that is a path on this machine: taken from
 * the artifact's directory, from the two above it, then from the working directory.
 *
 * @param configFile `siren_config.json`. Only this one field is read here; `@tocsin/siren` checks the rest.
 * @throws UserError naming the model and how to give it, when it is not there
 */
export async function namedBackbone(configFile: string): Promise<BackboneSource> {
  const modelId = await readModelId(configFile);
  const artifactDir = dirname(configFile);
  const places = isAbsolute(modelId)
    ? [modelId]
    : [artifactDir, dirname(artifactDir), dirname(dirname(artifactDir)), process.cwd()].map((place) =>
        resolve(place, modelId),
      );
  for (const place of places) {
    if ((await pathKind(place)) !== 'nothing') return resolveBackbone(place);
  }
  throw new UserError(
    `the guard's backbone ${modelId} is not on this machine (${configFile}: base_model.model_id)`,
    {
      hint: `Download ${modelId} and give its directory, or a .gguf file of it, with --backbone <path>.`,
    },
  );
}

async function readModelId(configFile: string): Promise<string> {
  const text = await readFile(configFile, 'utf8').catch((cause) => {
    throw new UserError(`cannot read ${configFile}: ${messageOf(cause)}`, { cause });
  });
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${configFile} is no valid JSON: ${messageOf(cause)}`, { cause });
  }
  const modelId = field(field(config, 'base_model'), 'model_id');
  if (typeof modelId === 'string' && modelId !== '') return modelId;
  throw new UserError(`${configFile}: base_model.model_id must be a text that is not empty`, {
    hint: 'It names the backbone. With --backbone <path> it is not needed to find one.',
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
