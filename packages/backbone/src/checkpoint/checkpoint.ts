import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf, UserError } from '@tocsin/core';
import { HEADER_LENGTH_BYTES, parseSafetensorsHeader, safetensorsHeaderLength } from '@tocsin/siren';
import { z } from 'zod';
import { type BackboneConfig, readBackboneConfig } from './backbone-config.js';

/** A checkpoint's configuration and the places of its tensors. The weights are not in memory. */
export interface Checkpoint {
  config: BackboneConfig;
  /** By Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  tensors: ReadonlyMap<string, CheckpointTensor>;
}

/** A tensor's place in a file. Linear weights are [outputs, inputs]. */
export interface CheckpointTensor {
  name: string;
  dtype: string;
  shape: number[];
  file: string;
  /** Absolute, bytes. */
  offset: number;
  byteLength: number;
}

export const SINGLE_FILE = 'model.safetensors';
export const SHARD_INDEX = 'model.safetensors.index.json';
/** Names that equal their base name but are directories. */
const NO_FILE_NAMES = new Set(['', '.', '..']);

/**
 * Opens a Hugging Face checkpoint directory: `config.json`, and `model.safetensors` or shards with an index.
 * @throws UserError naming the file and what is wrong with it, before any weights are read
 */
export async function openCheckpoint(dir: string): Promise<Checkpoint> {
  const config = await readConfig(join(dir, 'config.json'));
  const files = await weightFilesOf(dir);
  if (files.index === undefined)
    return { config, tensors: await readSafetensorsFile(join(dir, SINGLE_FILE)) };
  return { config, tensors: await readShards(dir, files.index) };
}

/** The weight files of a checkpoint directory, and the shard index (file of each tensor) if there is one. */
export async function weightFilesOf(
  dir: string,
): Promise<{ files: string[]; index: Map<string, string> | undefined }> {
  if (existsSync(join(dir, SINGLE_FILE))) return { files: [join(dir, SINGLE_FILE)], index: undefined };
  const indexFile = join(dir, SHARD_INDEX);
  if (!existsSync(indexFile)) {
    throw new UserError(`${dir} has neither ${SINGLE_FILE} nor ${SHARD_INDEX}`, {
      hint: 'A backbone directory contains config.json, tokenizer.json and the weights as safetensors.',
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
    // Shard names come from a published file: they must not point outside the directory.
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
      throw new UserError(`${join(dir, shard)}: tensor ${name} is missing; but ${SHARD_INDEX} lists it`);
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

/**
 * Every tensor of a safetensors file, by name. Reads the header only.
 * @throws UserError when the file cannot be read, or its header does not match its size
 */
export async function readSafetensorsFile(file: string): Promise<Map<string, CheckpointTensor>> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new UserError(`${file} cannot be opened: ${messageOf(cause)}`, { cause });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UserError(`${file} is no file; expected a safetensors file`);
    const { size } = stat;
    const first8 = await readAt(handle, 0, Math.min(HEADER_LENGTH_BYTES, size));
    const length = safetensorsHeaderLength(file, first8, size);
    const header = await readAt(handle, HEADER_LENGTH_BYTES, length);
    const tensors = parseSafetensorsHeader(file, header, size);
    return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, file }]));
  } finally {
    await handle.close();
  }
}

async function readAt(
  handle: Awaited<ReturnType<typeof open>>,
  position: number,
  length: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
