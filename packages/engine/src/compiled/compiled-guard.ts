import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BackboneConfig,
  buildBatchGraph,
  buildPrefixGraph,
  type Numerics,
  type PlacedBackbone,
  placeCheckpoint,
  placeGguf,
} from '@tocsin/backbone';
import { codeOf, UserError } from '@tocsin/core';
import { type BackboneSource, type ScratchLockOptions, withScratchLock } from '@tocsin/models';
import { type Artifact, lastLayerOf } from '@tocsin/siren';
import { readChatFormat } from '../items/chat-format-source.js';
import { checkFits } from '../items/check-fits.js';

/** Raised when what lies in a compiled guard's directory changes, though its scores do not. */
export const LAYOUT_VERSION = 3;
export const MANIFEST = 'guard.json';
const BATCH_GRAPH = 'model.onnx';
const PREFIX_GRAPH = 'prefix.onnx';
const CHECK_GRAPH = 'check.onnx';
const CHAT_FORMAT = 'chat-format.json';

/** A guard's directory in the cache: everything that scoring needs, and nothing outside it. */
export interface CompiledGuard {
  dir: string;
  modelFile: string;
  prefixFile: string;
  /** The batch graph for a CPU, over the same weights: what another device is checked against. Not there for a CPU's guard. */
  checkFile: string;
  tokenizerFile: string;
  /** Chat template and special tokens. Only trajectory guards have it. */
  chatFormatFile: string;
  config: BackboneConfig;
}

/** `guard.json`: what the directory holds, so that a change behind its back is noticed. */
export interface Manifest {
  /** What the guard was called when it was compiled (`labelOf`). Others may share its fingerprint. */
  guard: string | undefined;
  config: BackboneConfig;
  files: { name: string; size: number; mtimeMs: number }[];
}

export interface CompileOptions extends ScratchLockOptions {
  /** Float32 on a CPU when not given. */
  numerics?: Numerics;
  /** What the guard is called, for people who look into the cache. */
  guard?: string;
}

/** The compiled guard of a fingerprint, if the cache holds it whole. */
export async function findCompiled(
  cacheDir: string,
  fingerprint: string,
): Promise<CompiledGuard | undefined> {
  const dir = compiledDir(cacheDir, fingerprint);
  const manifest = await readManifest(join(dir, MANIFEST));
  if (manifest === undefined) return undefined;
  // Weights are hard links: a checkpoint that was written over in place has changed here too.
  const now = await Promise.all(manifest.files.map(({ name }) => describe(dir, name).catch(() => undefined)));
  const whole = manifest.files.every(
    (file, i) => file.size === now[i]?.size && file.mtimeMs === now[i]?.mtimeMs,
  );
  return whole ? guardIn(dir, manifest.config) : undefined;
}

/**
 * Builds a guard's directory: graph, weights in place, tokenizer. It is made under another name and renamed when it
 * is whole; a second process that wants the same guard waits and takes the first one's. What the cache holds that is
 * not whole is replaced.
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
      // A holder that had slept so long that its lock was taken may have been the quicker by a hair.
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

export async function readManifest(file: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Manifest;
  } catch (error) {
    // One that was cut short (the machine lost power) says no more than none.
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
    // Before the weights, which take long: a backbone without a chat template is told at once.
    await writeFile(join(target, CHAT_FORMAT), JSON.stringify(await readChatFormat(source)));
  }
  const { config, tensors } = await placeBackbone(source, artifact, target, numerics);
  await writeFile(join(target, BATCH_GRAPH), buildBatchGraph(config, artifact, tensors, numerics));
  await writeFile(join(target, PREFIX_GRAPH), buildPrefixGraph(config, artifact, tensors, numerics));
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
  if (source.kind === 'gguf') return placeGguf(source.file, target, tokenizerFile, lastLayer, numerics);
  await copyFile(join(source.dir, 'tokenizer.json'), tokenizerFile);
  return placeCheckpoint(source.dir, target, lastLayer, numerics);
}

/** Where compiled guards lie in the cache. */
export function compiledRoot(cacheDir: string): string {
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
