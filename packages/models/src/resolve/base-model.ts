import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { messageOf, UserError } from '@tocsin/core';
import { fetchBackbone } from '../hub/fetch-backbone.js';
import { type HubOptions, withHub } from '../hub/hub.js';
import { parseHubRef } from '../hub/hub-ref.js';
import { pathKind } from './path-kind.js';
import { resolveBackbone } from './resolve-backbone.js';
import type { BackboneSource } from './sources.js';

/** The backbone as `siren_config.json` names it. */
export interface NamedModel {
  /** A path, or `owner/name` on the hub. */
  modelId: string;
  /** On the hub; undefined for `main`, as in llm-siren. */
  revision: string | undefined;
  /** One GGUF file of the repository instead of its safetensors. */
  ggufFile: string | undefined;
}

/**
 * The backbone that an artifact names in `base_model.model_id`. A path on this machine wins: it is looked for in the
 * artifact's directory, in the two above it, then in the working directory. Else the hub has it, at `base_model.revision`.
 *
 * @param configFile `siren_config.json`. Only `base_model` is read here; `@tocsin/siren` checks the rest.
 * @throws UserError naming the model and how to give it
 */
export async function namedBackbone(configFile: string, options: HubOptions): Promise<BackboneSource> {
  const { modelId, revision, ggufFile } = await readNamedModel(configFile);
  const here = await pathOf(modelId, configFile);
  if (here !== undefined) return resolveBackbone(here);
  const ref = parseHubRef(modelId);
  if (ref !== undefined) {
    const named = { repo: ref.repo, revision: revision ?? ref.revision };
    return withHub(options, (hub) => fetchBackbone(hub, named, ggufFile));
  }
  throw new UserError(
    `the guard's backbone ${modelId} is not on this machine (${configFile}: base_model.model_id)`,
    {
      hint: `It is no name on the hub (owner/name) either. Give a directory, or a .gguf file, with --backbone <path>.`,
    },
  );
}

/** Where a model id leads as a path. */
async function pathOf(modelId: string, configFile: string): Promise<string | undefined> {
  const dir = dirname(configFile);
  const places = isAbsolute(modelId)
    ? [modelId]
    : [dir, dirname(dir), dirname(dirname(dir)), process.cwd()].map((place) => resolve(place, modelId));
  for (const place of places) if ((await pathKind(place)) !== 'nothing') return place;
  return undefined;
}

/** @throws UserError when the file cannot be read or names no model */
export async function readNamedModel(configFile: string): Promise<NamedModel> {
  const text = await readFile(configFile, 'utf8').catch((cause) => {
    throw new UserError(`cannot read ${configFile}: ${messageOf(cause)}`, { cause });
  });
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${configFile} is no valid JSON: ${messageOf(cause)}`, { cause });
  }
  const base = field(config, 'base_model');
  const modelId = field(base, 'model_id');
  if (typeof modelId !== 'string' || modelId === '') {
    throw new UserError(`${configFile}: base_model.model_id must be a text that is not empty`, {
      hint: 'It names the backbone. With --backbone <path> it is not needed to find one.',
    });
  }
  return { modelId, revision: textField(base, 'revision'), ggufFile: textField(base, 'gguf_file') };
}

function textField(value: unknown, name: string): string | undefined {
  const text = field(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
