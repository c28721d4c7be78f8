import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '@tocsin/core';
import { z } from 'zod';
import { type BackboneConfig, readBackboneConfig } from './backbone-config.js';
import type { Checkpoint, CheckpointTensor } from './checkpoint.js';
import { readSafetensorsFile } from './safetensors-file.js';

export const SINGLE_FILE = 'model.safetensors';
export const SHARD_INDEX = 'model.safetensors.index.json';
/** Names that are their own base name, and yet name directories. */
const NO_FILE_NAMES = new Set(['', '.', '..']);

/**
 * Opens a Hugging Face checkpoint directory: `config.json`, and `model.safetensors` or shards with an index.
 * @throws UserError naming the file and what is wrong with it; no weights have been read then
 */
export async function openCheckpoint(dir: string): Promise<Checkpoint> {
  const config = await readConfig(join(dir, 'config.json'));
  const files = await weightFilesOf(dir);
  if (files.index === undefined)
    return { config, tensors: await readSafetensorsFile(join(dir, SINGLE_FILE)) };
  return { config, tensors: await readShards(dir, files.index) };
}

/** The files that hold a checkpoint directory's weights, and the shards' index (file of each tensor) if there is one. */
export async function weightFilesOf(
  dir: string,
): Promise<{ files: string[]; index: Map<string, string> | undefined }> {
  if (existsSync(join(dir, SINGLE_FILE))) return { files: [join(dir, SINGLE_FILE)], index: undefined };
  const indexFile = join(dir, SHARD_INDEX);
  if (!existsSync(indexFile)) {
    throw new UserError(`${dir} has neither ${SINGLE_FILE} nor ${SHARD_INDEX}`, {
      hint: 'A backbone directory holds config.json, tokenizer.json and the weights as safetensors.',
    });
  }
  const index = await readShardIndex(indexFile);
  const files = [...new Set(index.values())].sort().map((shard) => join(dir, shard));
  for (const file of files) {
    if (!existsSync(file)) throw new UserError(`${file} is missing; ${SHARD_INDEX} names it`);
  }
  return { files, index };
}

async function readConfig(file: string): Promise<BackboneConfig> {
  return readBackboneConfig(file, await readJson(file));
}

async function readShardIndex(file: string): Promise<Map<string, string>> {
  const schema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
  const parsed = schema.safeParse(await readJson(file));
  if (!parsed.success) throw new UserError(`${file}: ${z.prettifyError(parsed.error)}`);
  const map = new Map(Object.entries(parsed.data.weight_map));
  for (const [tensor, shard] of map) {
    // A shard's name comes out of a file that somebody published: it must not lead out of the directory.
    if (basename(shard) !== shard || NO_FILE_NAMES.has(shard))
      throw new UserError(
        `${file}: tensor ${tensor} is in ${JSON.stringify(shard)}, which is no plain file name`,
      );
  }
  return map;
}

async function readShards(dir: string, index: Map<string, string>): Promise<Map<string, CheckpointTensor>> {
  const shards = new Map<string, Map<string, CheckpointTensor>>();
  for (const shard of new Set(index.values())) shards.set(shard, await readSafetensorsFile(join(dir, shard)));
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, shard] of index) {
    const tensor = shards.get(shard)?.get(name);
    if (tensor === undefined)
      throw new UserError(`${join(dir, shard)}: tensor ${name} is missing; ${SHARD_INDEX} says it is there`);
    tensors.set(name, tensor);
  }
  return tensors;
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError(`${file} cannot be read`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file} is no valid JSON`, { cause });
  }
}
