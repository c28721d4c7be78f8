import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isUserError, UserError } from '@tocsin/core';
import type { ArtifactSource, BackboneSource } from '../resolve/sources.js';
import type { RemoteFile } from './download-blob.js';
import type { Hub } from './hub.js';
import { isUnreachable } from './hub-errors.js';
import type { HubRef } from './hub-ref.js';
import { Snapshot } from './snapshot.js';

export const CONFIG_FILE = 'siren_config.json';
export const WEIGHTS_FILE = 'siren.safetensors';

/**
 * An artifact of the hub, in the cache. A cached commit needs no network.
 * @throws UserError that says what to do
 */
export async function fetchArtifact(hub: Hub, ref: HubRef): Promise<ArtifactSource> {
  const snapshot = await Snapshot.open(hub, ref);
  const wanted = [CONFIG_FILE, WEIGHTS_FILE];
  const missing: string[] = [];
  for (const file of wanted) if (!(await snapshot.has(file))) missing.push(file);
  if (missing.length > 0) {
    const remote = await snapshot.list(missing);
    const lacking = missing.filter((file) => !remote.has(file));
    if (lacking.length > 0) {
      throw new UserError(
        `${ref.repo}@${snapshot.pin.revision} is no guard: the repository lacks ${lacking.join(', ')}`,
        { hint: 'If it is a backbone: give it with --backbone, and the guard with --guard.' },
      );
    }
    await snapshot.download([...remote.values()], ref.repo);
  }
  await snapshot.settle();
  const { dir, pin } = snapshot;
  return { config: join(dir, CONFIG_FILE), weights: join(dir, WEIGHTS_FILE), pin };
}

const SINGLE_FILE = 'model.safetensors';
const SHARD_INDEX = 'model.safetensors.index.json';
const NEEDED = ['config.json', 'tokenizer.json'];
/** For trajectory guards: one of them holds the chat template. */
const WHERE_THERE = ['tokenizer_config.json', 'chat_template.jinja'];

/**
 * A backbone of the hub, in the cache: only its configuration, tokenizer, chat template and safetensors weights. A
 * complete cached commit needs no network.
 *
 * Fetches all shards, even those of layers that are not read, since other users of the cache expect them.
 *
 * @param ggufFile one file of the repository to fetch instead
 * @throws UserError that says what to do
 */
export async function fetchBackbone(hub: Hub, ref: HubRef, ggufFile?: string): Promise<BackboneSource> {
  try {
    const snapshot = await Snapshot.open(hub, ref);
    const source = ggufFile === undefined ? await checkpoint(snapshot) : await gguf(snapshot, ggufFile);
    await snapshot.settle();
    return { ...source, pin: snapshot.pin };
  } catch (error) {
    if (!isUserError(error)) throw error;
    const hint = [error.hint, 'A copy of the backbone on this machine is taken with --backbone <directory>.'];
    throw new UserError(`the guard's backbone: ${error.message}`, {
      hint: hint.filter((line) => line !== undefined).join('\n'),
      cause: error,
    });
  }
}

async function gguf(snapshot: Snapshot, file: string): Promise<BackboneSource> {
  if (!(await snapshot.has(file))) await snapshot.download([await only(snapshot, file)], snapshot.pin.repo);
  return { kind: 'gguf', file: join(snapshot.dir, file) };
}

async function checkpoint(snapshot: Snapshot): Promise<BackboneSource> {
  const source: BackboneSource = { kind: 'safetensors', dir: snapshot.dir };
  if (!(await canScore(snapshot))) {
    await fetchCheckpoint(snapshot);
    return source;
  }
  const open: string[] = [];
  for (const file of WHERE_THERE) if (!(await snapshot.isSettled(file))) open.push(file);
  // Offline it is unknown whether there is a chat template; a guard that needs one reports it missing.
  if (open.length === 0 || snapshot.offline) return source;
  try {
    const remote = await snapshot.list(open);
    await snapshot.download([...remote.values()], snapshot.pin.repo);
  } catch (error) {
    if (!isUserError(error) || !isUnreachable(error.cause)) throw error;
    snapshot.note(`${error.message}. Going on without ${open.join(', ')}, which only some guards need`);
  }
  return source;
}

async function fetchCheckpoint(snapshot: Snapshot): Promise<void> {
  const { repo } = snapshot.pin;
  const remote = await snapshot.list([...NEEDED, ...WHERE_THERE, SINGLE_FILE, SHARD_INDEX]);
  const single = remote.has(SINGLE_FILE);
  const lacking = NEEDED.filter((file) => !remote.has(file));
  if (!single && !remote.has(SHARD_INDEX)) lacking.push(`${SINGLE_FILE} (or ${SHARD_INDEX})`);
  if (lacking.length > 0) {
    throw new UserError(`${repo} is no backbone that can be read: it lacks ${lacking.join(', ')}`, {
      hint: 'A backbone is a repository with a configuration, a tokenizer.json and safetensors weights.',
    });
  }
  const weights = single ? [] : await shardsOf(snapshot, remote);
  if (single) remote.delete(SHARD_INDEX);
  await snapshot.download([...remote.values(), ...weights], repo);
}

/** True when configuration, tokenizer and all weights are cached. */
async function canScore(snapshot: Snapshot): Promise<boolean> {
  for (const file of NEEDED) if (!(await snapshot.has(file))) return false;
  if (await snapshot.has(SINGLE_FILE)) return true;
  if (!(await snapshot.has(SHARD_INDEX))) return false;
  for (const shard of await shardNames(snapshot)) if (!(await snapshot.has(shard))) return false;
  return true;
}

/** The shards that the index names, which must be fetched first. */
async function shardsOf(snapshot: Snapshot, remote: Map<string, RemoteFile>): Promise<RemoteFile[]> {
  const index = remote.get(SHARD_INDEX);
  if (index !== undefined) await snapshot.download([index], snapshot.pin.repo);
  const names = await shardNames(snapshot);
  const shards = await snapshot.list(names);
  const lacking = names.filter((name) => !shards.has(name));
  if (lacking.length === 0) return [...shards.values()];
  throw new UserError(`${snapshot.pin.repo} lacks ${lacking.join(', ')}, which its ${SHARD_INDEX} names`);
}

async function shardNames(snapshot: Snapshot): Promise<string[]> {
  const file = join(snapshot.dir, SHARD_INDEX);
  const text = await readFile(file, 'utf8');
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown } | null)?.weight_map;
  } catch (cause) {
    throw new UserError(`${file} is no valid JSON`, { cause });
  }
  const names = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : [];
  // A name from a published file becomes part of a path.
  const isPlain = (name: unknown): name is string =>
    typeof name === 'string' && basename(name) === name && name.endsWith('.safetensors');
  if (names.length > 0 && names.every(isPlain)) return names.sort();
  throw new UserError(`${file}: weight_map must name the safetensors file of each tensor`);
}

async function only(snapshot: Snapshot, file: string): Promise<RemoteFile> {
  const remote = (await snapshot.list([file])).get(file);
  if (remote !== undefined) return remote;
  throw new UserError(`${snapshot.pin.repo} has no file ${file}`);
}
