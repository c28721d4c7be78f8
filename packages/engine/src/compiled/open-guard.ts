import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { DEFAULT_PRECISION, numericsOf, PRECISIONS, type Precision } from '@tocsin/backbone';
import { messageOf, UserError } from '@tocsin/core';
import {
  cacheDirectory,
  type GuardSource,
  labelOf,
  type ModelEvent,
  resolveGuard,
  type TransferredBytes,
  textOfPin,
} from '@tocsin/models';
import { type Artifact, readArtifact } from '@tocsin/siren';
import { bestDevice } from '../devices/best-device.js';
import { type Device, deviceName, parseDevice } from '../devices/device.js';
import { backboneFiles } from './backbone-files.js';
import { type CompiledGuard, compileGuard, findCompiled } from './compiled-guard.js';
import { digestFiles } from './file-digests.js';
import { fingerprintOf } from './fingerprint.js';

export interface OpenGuardOptions {
  /** A directory, a .gguf file or `owner/name[@revision]` on the hub, instead of the backbone that the artifact names. */
  backbone?: string;
  /** What weights are held in, and on a GPU what is computed in too (see `numericsOf`); by default the device's own. */
  precision?: string;
  /** `cpu`, `cuda`, `cuda:1`, `webgpu`, or `auto`, the default: the best that works here. */
  device?: string;
  cacheDir?: string;
  /** What takes time: a download, the hashing and preparing of weights. */
  onEvent?: (event: ModelEvent) => void;
  /** How far a download from the hub is, several times a second. */
  onBytes?: (progress: TransferredBytes) => void;
  signal?: AbortSignal;
}

/** A guard, found, checked and ready to be loaded: what producers and workers start from. No model is in memory yet. */
export interface OpenGuard {
  /** As it was asked for. */
  ref: string;
  /** The same guard again, for another process: names at the commits, and `auto` as the device, that they stand for now. */
  pinned: { guard: string; backbone: string | undefined; device: string; precision: Precision };
  artifact: Artifact;
  /** 64 hex digits: what scores of this guard are kept under. */
  fingerprint: string;
  precision: Precision;
  /** What it is to be loaded on. Whether that works here is found out when it is loaded. */
  device: Device;
  compiled: CompiledGuard;
}

/**
 * Finds a guard's files, checks them, and compiles the guard if its cache does not hold it yet.
 * @param ref `starter`, an artifact's directory, its siren_config.json, or `owner/name[@revision]` on the hub
 * @throws UserError for everything that is missing or does not fit
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
  // A GGUF file of a repository has no name of its own: the artifact names it.
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
