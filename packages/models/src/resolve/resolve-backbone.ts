import { readdir, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { messageOf, UserError } from '@tocsin/core';
import { pathKind } from '../cache/disk.js';
import { fetchBackbone } from '../hub/fetch-guard.js';
import { type HubOptions, withHub } from '../hub/hub.js';
import { parseHubRef } from '../hub/hub-ref.js';
import type { BackboneSource } from './sources.js';

const SINGLE_FILE = 'model.safetensors';
const SHARD_INDEX = 'model.safetensors.index.json';

const WHAT_A_BACKBONE_IS =
  `A backbone is a directory with config.json, tokenizer.json and ${SINGLE_FILE} (or ${SHARD_INDEX} and its shards), ` +
  'a directory with one .gguf file, or a .gguf file.';

/**
 * Determines the kind of a backbone on disk and checks that its files exist, but not their content.
 *
 * Safetensors weights take precedence over a .gguf file beside them: the guard was trained on them.
 *
 * @param path a directory or a .gguf file
 * @throws UserError naming what is missing
 */
export async function resolveBackbone(path: string): Promise<BackboneSource> {
  const absolute = resolve(path);
  const kind = await pathKind(absolute);
  if (kind === 'nothing') {
    throw new UserError(`the backbone ${absolute} does not exist`, { hint: WHAT_A_BACKBONE_IS });
  }
  if (kind === 'directory') return ofDirectory(absolute);
  if (kind === 'file' && isGguf(absolute)) return { kind: 'gguf', file: absolute };
  throw new UserError(`the backbone ${absolute} is neither a directory nor a .gguf file`, {
    hint: WHAT_A_BACKBONE_IS,
  });
}

async function ofDirectory(dir: string): Promise<BackboneSource> {
  const names = await readdir(dir).catch((cause) => {
    throw new UserError(`cannot read the backbone directory ${dir}: ${messageOf(cause)}`, { cause });
  });
  const ggufs = names.filter(isGguf).sort();
  const hasWeights = names.includes(SINGLE_FILE) || names.includes(SHARD_INDEX);
  const [gguf] = ggufs;
  if (hasWeights || gguf === undefined) {
    requirePieces(dir, names, hasWeights);
    return { kind: 'safetensors', dir };
  }
  if (ggufs.length > 1) {
    throw new UserError(
      `the backbone directory ${dir} contains ${ggufs.length} .gguf files: ${ggufs.join(', ')}`,
      {
        hint: 'Give the path of the one to use.',
      },
    );
  }
  return { kind: 'gguf', file: join(dir, gguf) };
}

function requirePieces(dir: string, names: readonly string[], hasWeights: boolean): void {
  const missing = ['config.json', 'tokenizer.json'].filter((name) => !names.includes(name));
  if (!hasWeights) missing.push(`${SINGLE_FILE} (or ${SHARD_INDEX})`);
  if (missing.length === 0) return;
  const pickled = names.find((name) => /^pytorch_model.*\.bin$/.test(name));
  const hint =
    !hasWeights && pickled !== undefined
      ? `${pickled} is not read: it is a pickle, which can run code. Take the model's safetensors files.`
      : WHAT_A_BACKBONE_IS;
  throw new UserError(`the backbone directory ${dir} lacks ${missing.join(', ')}`, { hint });
}

function isGguf(name: string): boolean {
  return name.toLowerCase().endsWith('.gguf');
}

/** The backbone as `siren_config.json` names it. */
export interface NamedModel {
  /** A path, or `owner/name` on the hub. */
  modelId: string;
  /** On the hub; undefined for `main`, as in llm-siren. */
  revision: string | undefined;
  /** A GGUF file of the repository to use instead of its safetensors. */
  ggufFile: string | undefined;
}

/**
 * The backbone that an artifact names in `base_model.model_id`. A local path takes precedence: it is looked up in
 * the artifact's directory, the two above it, then the working directory. Otherwise the hub, at `base_model.revision`.
 *
 * @param configFile `siren_config.json`. Only `base_model` is read here; `@tocsin/siren` checks the rest.
 * @throws UserError naming the model and how to pass it
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

/** The paths that a model id may mean. */
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
