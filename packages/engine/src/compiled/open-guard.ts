import { existsSync } from 'node:fs';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_PRECISION, numericsOf, PRECISIONS, type Precision, weightFilesOf } from '@tocsin/backbone';
import { messageOf, UserError } from '@tocsin/core';
import {
  type BackboneSource,
  cacheDirectory,
  type GuardSource,
  labelOf,
  type ModelEvent,
  resolveGuard,
  type TransferredBytes,
  textOfPin,
} from '@tocsin/models';
import { type Artifact, readArtifact, type Task } from '@tocsin/siren';
import { type Device, deviceName, parseDevice } from '../devices/device.js';
import { bestDevice } from '../devices/probe-device.js';
import { CHAT_FORMAT_FILES } from '../items/chat-format-source.js';
import { type CompiledGuard, compileGuard, findCompiled } from './compiled-guard.js';
import { digestFiles, fingerprintOf } from './fingerprint.js';

export interface OpenGuardOptions {
  /** A directory, a .gguf file or `owner/name[@revision]` on the hub, instead of the backbone that the artifact names. */
  backbone?: string;
  /** Precision of the weights, and on a GPU of the arithmetic (see `numericsOf`); defaults to the device's. */
  precision?: string;
  /** `cpu`, `cuda`, `cuda:1`, `webgpu`, or `auto` (default): the best that works here. */
  device?: string;
  cacheDir?: string;
  /** Called for slow steps: downloads, hashing, preparing weights. */
  onEvent?: (event: ModelEvent) => void;
  /** How far a download from the hub is, several times a second. */
  onBytes?: (progress: TransferredBytes) => void;
  signal?: AbortSignal;
}

/** A guard that is found, checked and ready to load. No model is in memory yet. */
export interface OpenGuard {
  /** As requested. */
  ref: string;
  /** The same guard for another process: names pinned to commits, and `auto` resolved to a device. */
  pinned: { guard: string; backbone: string | undefined; device: string; precision: Precision };
  artifact: Artifact;
  /** 64 hex digits: the key of this guard's scores. */
  fingerprint: string;
  precision: Precision;
  /** The device to load it on; checked only when it is loaded. */
  device: Device;
  compiled: CompiledGuard;
}

/**
 * Finds and checks a guard's files, and compiles the guard unless it is cached.
 * @param ref `starter`, an artifact's directory, its siren_config.json, or `owner/name[@revision]` on the hub
 * @throws UserError for anything missing or inconsistent
 */
export async function openGuard(ref: string, options: OpenGuardOptions = {}): Promise<OpenGuard> {
  const device = await deviceOf(options);
  const numerics = numericsOf(precisionOf(options.precision, device), device.kind);
  const precision = numerics.weights;
  const cacheDir = cacheDirectory(options);
  const source = await resolveGuard(ref, { ...options, cacheDir });
  const { config, weights } = source.artifact;
  const artifact = readArtifact(
    { file: config, bytes: await readFile(config) },
    { file: weights, bytes: await readFile(weights) },
  );
  await prepareCache(cacheDir);
  const digests = await digestFiles(await backboneFiles(source.backbone, artifact.task), cacheDir);
  const fingerprint = fingerprintOf(artifact, digests, numerics);
  let compiled = await findCompiled(cacheDir, fingerprint);
  if (compiled === undefined) {
    options.onEvent?.({ step: 'compile', message: `Preparing the guard ${source.name} (once)` });
    compiled = await compileGuard(cacheDir, fingerprint, artifact, source.backbone, {
      numerics,
      guard: labelOf(source.artifact),
      signal: options.signal,
      onWait: () =>
        options.onEvent?.({ step: 'wait', message: 'Another process prepares this guard; waiting' }),
    });
  }
  return {
    ref,
    pinned: { ...pinnedAs(ref, options.backbone, source), device: deviceName(device), precision },
    artifact,
    fingerprint,
    precision,
    device,
    compiled,
  };
}

function pinnedAs(
  ref: string,
  backbone: string | undefined,
  source: GuardSource,
): Pick<OpenGuard['pinned'], 'guard' | 'backbone'> {
  const { pin } = source.backbone;
  // The artifact names a GGUF file in a repository.
  const isNamed = pin !== undefined && source.backbone.kind === 'safetensors';
  return {
    guard: source.artifact.pin === undefined ? ref : textOfPin(source.artifact.pin),
    backbone: isNamed ? textOfPin(pin) : backbone,
  };
}

async function prepareCache(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new UserError(`the cache directory ${dir} cannot be used: ${messageOf(cause)}`, {
      hint: 'Name another one with TOCSIN_CACHE.',
      cause,
    });
  }
}

async function deviceOf({ device = 'auto', onEvent }: OpenGuardOptions): Promise<Device> {
  const asked = parseDevice(device);
  if (asked !== 'auto') return asked;
  return bestDevice((message) => onEvent?.({ step: 'note', message }));
}

function precisionOf(name: string | undefined, { kind }: Device): Precision {
  if (name === undefined) return DEFAULT_PRECISION[kind];
  const precision = PRECISIONS.find((known) => known === name);
  if (precision !== undefined) return precision;
  throw new UserError(
    `precision ${JSON.stringify(name)} is not supported; supported are ${PRECISIONS.join(', ')}`,
  );
}

/**
 * The backbone's files that can change a score, in a fixed order: configuration, tokenizer, weights and, for trajectory
 * guards, the chat template.
 */
export async function backboneFiles(source: BackboneSource, task: Task): Promise<string[]> {
  if (source.kind === 'gguf') return [source.file];
  const { files } = await weightFilesOf(source.dir);
  const rendering = task === 'trajectory' ? CHAT_FORMAT_FILES : [];
  return [
    join(source.dir, 'config.json'),
    join(source.dir, 'tokenizer.json'),
    ...rendering.map((name) => join(source.dir, name)).filter(existsSync),
    ...files,
  ];
}
