import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BackboneConfig,
  buildBatchGraph,
  buildPrefixGraph,
  type Numerics,
  type PlacedBackbone,
  type PlaceOptions,
  placeCheckpoint,
  placeGguf,
} from '@tocsin/backbone';
import { codeOf, UserError } from '@tocsin/core';
import { type BackboneSource, type ScratchLockOptions, withScratchLock } from '@tocsin/models';
import { type Artifact, lastLayerOf } from '@tocsin/siren';
import { readChatFormat } from '../items/chat-format-source.js';
import { unsignedFileOf } from './unsigned-file.js';

/** Increase when the layout of a compiled guard's directory changes but its scores do not. */
export const LAYOUT_VERSION = 3;
const MANIFEST = 'guard.json';
const BATCH_GRAPH = 'model.onnx';
const PREFIX_GRAPH = 'prefix.onnx';
const CHECK_GRAPH = 'check.onnx';
const CHAT_FORMAT = 'chat-format.json';

/** A guard's directory in the cache: everything that scoring needs. */
export interface CompiledGuard {
  dir: string;
  modelFile: string;
  prefixFile: string;
  /** The CPU's batch graph over the same weights, for checking another device. Undefined for a CPU. */
  checkFile: string;
  tokenizerFile: string;
  /** Chat template and special tokens, only for trajectory guards. */
  chatFormatFile: string;
  config: BackboneConfig;
}

/** `guard.json`: the directory's content, to detect later changes. */
interface Manifest {
  /** The guard's name when it was compiled (`labelOf`). Others may share its fingerprint. */
  guard: string | undefined;
  config: BackboneConfig;
  files: { name: string; size: number; mtimeMs: number }[];
}

export interface CompileOptions extends ScratchLockOptions {
  /** Default: float32 on a CPU. */
  numerics?: Numerics;
  /** The guard's name, for display. */
  guard?: string;
}

/** The compiled guard of a fingerprint, if it is complete in the cache. */
export async function findCompiled(
  cacheDir: string,
  fingerprint: string,
): Promise<CompiledGuard | undefined> {
  const dir = compiledDir(cacheDir, fingerprint);
  const manifest = await readManifest(join(dir, MANIFEST));
  if (manifest === undefined) return undefined;
  // Weights are hard links: a checkpoint overwritten in place has changed here too.
  const now = await Promise.all(manifest.files.map(({ name }) => describe(dir, name).catch(() => undefined)));
  const whole = manifest.files.every(
    (file, i) => file.size === now[i]?.size && file.mtimeMs === now[i]?.mtimeMs,
  );
  return whole ? guardIn(dir, manifest.config) : undefined;
}

/**
 * Builds a guard's directory: graph, weights in place, tokenizer. Renames it into place when complete; other processes
 * that want the same guard wait for it. Replaces incomplete directories.
 */
export async function compileGuard(
  cacheDir: string,
  fingerprint: string,
  artifact: Artifact,
  source: BackboneSource,
  options: CompileOptions = {},
): Promise<CompiledGuard> {
  const dir = compiledDir(cacheDir, fingerprint);
  await mkdir(dirname(dir), { recursive: true });
  const work = async (scratch: string): Promise<CompiledGuard> => {
    const existing = await findCompiled(cacheDir, fingerprint);
    if (existing !== undefined) return existing;
    const config = await buildInto(scratch, artifact, source, options);
    await rm(dir, { recursive: true, force: true });
    await rename(scratch, dir).catch(async (error: unknown) => {
      // A suspended holder whose lock was taken over may have finished first.
      if ((await findCompiled(cacheDir, fingerprint)) === undefined) throw error;
    });
    return guardIn(dir, config);
  };
  try {
    return await withScratchLock(`${dir}.lock`, work, options);
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error;
    throw new UserError(`no space is left in ${cacheDir} for the compiled guard`, {
      hint: 'Free some space, or name another cache directory with TOCSIN_CACHE.',
      cause: error,
    });
  }
}

async function readManifest(file: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Manifest;
  } catch (error) {
    // A truncated file (after a power cut) counts as missing.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function buildInto(
  target: string,
  artifact: Artifact,
  source: BackboneSource,
  { guard, numerics }: CompileOptions,
): Promise<BackboneConfig> {
  if (artifact.task === 'trajectory') {
    // Before the slow weights, so that a missing chat template is reported at once.
    await writeFile(join(target, CHAT_FORMAT), JSON.stringify(await readChatFormat(source)));
  }
  const { config, tensors } = await placeBackbone(source, artifact, target, numerics);
  await writeFile(join(target, BATCH_GRAPH), buildBatchGraph(config, artifact, tensors, numerics));
  await writeFile(join(target, PREFIX_GRAPH), buildPrefixGraph(config, artifact, tensors, numerics));
  if (numerics?.weights === 'int8' && numerics.device === 'cpu') {
    const unsigned = { isUnsigned: true };
    for (const [name, build] of [
      [BATCH_GRAPH, buildBatchGraph],
      [PREFIX_GRAPH, buildPrefixGraph],
    ] as const) {
      const file = join(target, unsignedFileOf(name));
      await writeFile(file, build(config, artifact, tensors, numerics, unsigned));
    }
  }
  if (numerics !== undefined && numerics.device !== 'cpu') {
    const onCpu: Numerics = { ...numerics, arithmetic: 'float32', device: 'cpu' };
    await writeFile(join(target, CHECK_GRAPH), buildBatchGraph(config, artifact, tensors, onCpu));
  }
  const names = (await readdir(target)).sort();
  const files = await Promise.all(names.map((name) => describe(target, name)));
  await writeFile(join(target, MANIFEST), JSON.stringify({ guard, config, files } satisfies Manifest));
  return config;
}

async function placeBackbone(
  source: BackboneSource,
  artifact: Artifact,
  target: string,
  numerics: Numerics | undefined,
): Promise<PlacedBackbone> {
  const lastLayer = (config: BackboneConfig): number => {
    checkFits(artifact, config);
    return lastLayerOf(artifact);
  };
  const tokenizerFile = join(target, 'tokenizer.json');
  const placing: PlaceOptions = {
    numerics,
    // Imported here: it loads onnxruntime.
    calibration: async (config) => {
      const { openCalibration } = await import('./calibration.js');
      return openCalibration(join(target, 'calibration'), tokenizerFile, config);
    },
  };
  if (source.kind === 'gguf') return placeGguf(source.file, target, tokenizerFile, lastLayer, placing);
  await copyFile(join(source.dir, 'tokenizer.json'), tokenizerFile);
  return placeCheckpoint(source.dir, target, lastLayer, placing);
}

/** The directory of compiled guards in a cache. */
function compiledRoot(cacheDir: string): string {
  return join(cacheDir, 'compiled');
}

function compiledDir(cacheDir: string, fingerprint: string): string {
  return join(compiledRoot(cacheDir), `${fingerprint}-${LAYOUT_VERSION}`);
}

function guardIn(dir: string, config: BackboneConfig): CompiledGuard {
  return {
    dir,
    modelFile: join(dir, BATCH_GRAPH),
    prefixFile: join(dir, PREFIX_GRAPH),
    checkFile: join(dir, CHECK_GRAPH),
    tokenizerFile: join(dir, 'tokenizer.json'),
    chatFormatFile: join(dir, CHAT_FORMAT),
    config,
  };
}

async function describe(dir: string, name: string): Promise<Manifest['files'][number]> {
  const { size, mtimeMs } = await stat(join(dir, name));
  return { name, size, mtimeMs };
}

/** A compiled guard in the cache. */
export interface CompiledEntry {
  dir: string;
  fingerprint: string;
  /** Its name when compiled: `starter`, `owner/name@commit` or a directory. */
  guard: string | undefined;
  /** False for one of an older version of Tocsin, which is no longer used. */
  current: boolean;
}

/** The compiled guards in a cache directory, including those of older versions. */
export async function listCompiled(cacheDir: string): Promise<CompiledEntry[]> {
  const root = compiledRoot(cacheDir);
  const names = await readdir(root).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const entries: CompiledEntry[] = [];
  for (const name of names.sort()) {
    const [, fingerprint, layout] = /^([0-9a-f]{64})-(\d+)$/.exec(name) ?? [];
    if (fingerprint === undefined) continue;
    const dir = join(root, name);
    const manifest = await readManifest(join(dir, MANIFEST));
    const current = Number(layout) === LAYOUT_VERSION && manifest !== undefined;
    entries.push({ dir, fingerprint, guard: manifest?.guard, current });
  }
  return entries;
}

/**
 * Checks that an artifact matches its backbone; otherwise scores would be meaningless.
 * @throws UserError naming the artifact's value and the backbone's
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
      refuse(`the readout has ${readout.weight.length} inputs, the hidden size is ${config.hiddenSize}`);
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
