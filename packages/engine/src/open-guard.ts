import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { messageOf, UserError } from '@tocsin/errors';
import { cacheDirectory, type ModelEvent, resolveGuard } from '@tocsin/models';
import { type Artifact, readArtifact } from '@tocsin/siren';
import { backboneFiles } from './backbone-files.js';
import { type CompiledGuard, compileGuard, findCompiled } from './compiled-guard.js';
import { digestFiles } from './file-digests.js';
import { fingerprintOf, type Precision } from './fingerprint.js';

export interface OpenGuardOptions {
  /** A directory or a .gguf file, instead of the backbone that the artifact names. */
  backbone?: string | undefined;
  precision?: string | undefined;
  cacheDir?: string | undefined;
  /** What takes time: a download, the hashing and preparing of weights. */
  onEvent?: ((event: ModelEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A guard, found, checked and ready to be loaded: what producers and workers start from. No model is in memory yet. */
export interface OpenGuard {
  /** As it was asked for. */
  ref: string;
  artifact: Artifact;
  /** 64 hex digits: what scores of this guard are kept under. */
  fingerprint: string;
  precision: Precision;
  compiled: CompiledGuard;
}

/**
 * Finds a guard's files, checks them, and compiles the guard if its cache does not hold it yet.
 * @param ref `starter`, an artifact's directory, or its siren_config.json
 * @throws UserError for everything that is missing or does not fit
 */
export async function openGuard(ref: string, options: OpenGuardOptions = {}): Promise<OpenGuard> {
  const precision = precisionOf(options.precision);
  const cacheDir = cacheDirectory(options);
  const source = await resolveGuard(ref, { ...options, cacheDir });
  const { config, weights } = source.artifact;
  const artifact = readArtifact(
    { file: config, bytes: await readFile(config) },
    { file: weights, bytes: await readFile(weights) },
  );
  await prepareCache(cacheDir);
  const digests = await digestFiles(await backboneFiles(source.backbone), cacheDir);
  const fingerprint = fingerprintOf(artifact, digests, precision);
  let compiled = await findCompiled(cacheDir, fingerprint);
  if (compiled === undefined) {
    options.onEvent?.({ step: 'compile', message: `Preparing the guard ${source.name} (once)` });
    compiled = await compileGuard(cacheDir, fingerprint, artifact, source.backbone, {
      signal: options.signal,
      onWait: () =>
        options.onEvent?.({ step: 'wait', message: 'Another process prepares this guard; waiting' }),
    });
  }
  return { ref, artifact, fingerprint, precision, compiled };
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

function precisionOf(name: string | undefined): Precision {
  if (name === undefined || name === 'float32') return 'float32';
  throw new UserError(`precision ${JSON.stringify(name)} is not supported; supported is float32`);
}
