import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { CalibrationFit } from '@tocsin/evaluate';
import { type GuardSource, resolveGuard, STARTER } from '@tocsin/models';
import { foldCalibration } from '@tocsin/siren';
import { withModelProgress } from '../terminal/model-progress.js';
import { VERSION } from '../version.js';
import type { CalibrateFlags } from './command.js';
import type { CalibrationLabels } from './labels.js';

/** Checks that the new guard's directory does not exist or is empty. */
export async function requireEmpty(out: string): Promise<void> {
  const names = await readdir(out).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw new UserError(`cannot write a guard to ${out}: ${messageOf(error)}`, { cause: error });
  });
  if (names.length === 0) return;
  throw new UserError(`cannot write a guard to ${out}: the directory is not empty`, {
    hint: 'Name a new directory with --out.',
  });
}

/**
 * Writes the calibrated artifact, and `calibration.json` with how it was made. All files appear at once.
 * @returns the --backbone that the new guard needs; undefined when its configuration names it
 */
export async function writeGuard(
  flags: CalibrateFlags,
  fit: CalibrationFit,
  labels: CalibrationLabels,
): Promise<string | undefined> {
  const source = await withModelProgress((shown) => resolveGuard(flags.guard, { ...flags, ...shown }));
  const { config, weights } = source.artifact;
  const threshold = fit.wanted?.threshold ?? fit.threshold.after;
  const found = pathOf(source);
  // A path in the configuration is relative to the old directory.
  const named = flags.backbone === undefined && flags.guard !== STARTER;
  const files = foldCalibration(
    {
      config: { file: config, bytes: await readFile(config) },
      weights: { file: weights, bytes: await readFile(weights) },
    },
    fit,
    { threshold, modelId: named ? found : undefined },
  );
  const out = resolve(flags.out);
  await mkdir(dirname(out), { recursive: true });
  const partial = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
  try {
    await writeFile(join(partial, 'siren_config.json'), files.config);
    await writeFile(join(partial, 'siren.safetensors'), files.weights);
    await writeFile(
      join(partial, 'calibration.json'),
      recordOf(fit, labels, { guard: source.name, threshold }),
    );
    // Over an empty directory, on every system.
    await requireEmpty(out);
    await rm(out, { recursive: true, force: true });
    await rename(partial, out);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return named ? undefined : (flags.backbone ?? found);
}

/** Undefined when the backbone is on the hub. */
function pathOf({ backbone }: GuardSource): string | undefined {
  if (backbone.pin !== undefined) return undefined;
  return backbone.kind === 'gguf' ? backbone.file : backbone.dir;
}

function recordOf(
  fit: CalibrationFit,
  labels: CalibrationLabels,
  { guard, threshold }: { guard: string; threshold: number },
): string {
  const { slope, offset, before, after, folds, wanted, contents } = fit;
  const record = {
    guard,
    fingerprint: labels.fingerprint,
    precision: labels.precision,
    tocsin: VERSION,
    labels: { from: labels.from, rows: before.rows, harmful: before.harmful, safe: before.safe, contents },
    slope,
    offset,
    threshold: { ...fit.threshold, written: threshold },
    wanted,
    calibrationError: {
      before: before.measures.expectedCalibrationError,
      after: after.measures.expectedCalibrationError,
      folds,
    },
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}
