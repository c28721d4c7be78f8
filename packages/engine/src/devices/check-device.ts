import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arithmetic, type Numerics, numericsOf } from '@tocsin/backbone';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import { OutOfMemoryError } from '../batches/out-of-memory.js';
import type { OpenGuard } from '../compiled/open-guard.js';
import { writeWhole } from '../compiled/write-whole.js';
import { EngineProcess } from '../process/engine-process.js';
import type { EngineOptions } from '../process/engine-protocol.js';
import { CPU, type Device, type DeviceIdentity, deviceIdentity, deviceName } from './device.js';

/** A device's maximum deviation from a CPU over the checked rows. */
export interface DeviceVerdict extends DeviceIdentity {
  /** Largest difference of two scores. */
  score: number;
  /** Largest distance of the head's input, relative to its norm. */
  features: number;
}

/** A compiled guard and the device to check. */
export interface CheckedGuard {
  device: Device;
  numerics: Numerics;
  /** The graph that runs on the device. */
  graph: EngineOptions['scores'];
  /** Directory of the compiled guard, and its graph for a CPU. */
  dir: string;
  checkFile: string;
  task: EngineOptions['task'];
  vocabSize: number;
  maxLength: number;
}

export function checkedGuard(
  { artifact, compiled, device, precision }: OpenGuard,
  graph: CheckedGuard['graph'],
): CheckedGuard {
  return {
    device,
    numerics: numericsOf(precision, device.kind),
    graph,
    dir: compiled.dir,
    checkFile: compiled.checkFile,
    task: artifact.task,
    vocabSize: compiled.config.vocabSize,
    maxLength: artifact.maxLength,
  };
}

/** Scores and features of rows, in one pass. */
export type FeaturePass = (
  tokenIds: Int32Array,
  lengths: Int32Array,
) => Promise<{ scores: Float32Array; features: Float32Array }>;

interface Tolerance {
  score: number;
  features: number;
}

/**
 * Allowed rounding. Measured on the tests' small random backbones: float32 on a software Vulkan 2e-7 of a score and
 * 1e-6 of the features, float16 arithmetic on a CPU 0.0006 and 0.0012; bfloat16 is eight times as coarse.
 */
const TOLERANCE: Record<Arithmetic, Tolerance> = {
  float32: { score: 0.001, features: 0.001 },
  float16: { score: 0.01, features: 0.01 },
  bfloat16: { score: 0.05, features: 0.05 },
};
/** Some CPU and GPU kernels also round activations to 8 bits, each in its own way. */
const INT8_TOLERANCE: Tolerance = { score: 0.1, features: 0.1 };
const toleranceOf = ({ numerics }: CheckedGuard): Tolerance =>
  numerics.weights === 'int8' ? INT8_TOLERANCE : TOLERANCE[numerics.arithmetic];

/** Kernels switch algorithms at the subgroup size and by the length of a pass. */
const LENGTHS = [1, 31, 32, 33];

/**
 * Checks that a device computes the same as a CPU on fixed rows, each alone and all in one pass. The result is stored
 * beside the compiled guard, once per device, driver and onnxruntime version.
 * @throws UserError with both numbers when they differ by more than rounding
 */
export async function checkDevice(guard: CheckedGuard, onDevice: FeaturePass): Promise<DeviceVerdict> {
  const graph = guard.graph === 'batches' ? '' : `${guard.graph}-`;
  const file = join(guard.dir, `check-${graph}${deviceName(guard.device).replace(':', '-')}.json`);
  const identity = await deviceIdentity(guard.device);
  const kept = await readVerdict(file);
  if (kept !== undefined && isSame(kept, identity)) return kept;

  const rows = rowsFor(guard);
  const expected = await onCpu(guard, rows);
  const verdict: DeviceVerdict = { ...identity, score: 0, features: 0 };
  const together = rows.map((_, i) => i);
  for (const pass of [...together.map((i) => [i]), together]) {
    const taken = pass.map((i) => rows[i] ?? new Int32Array());
    const result = split(await onDevice(...packed(taken)), pass.length);
    for (const [place, i] of pass.entries()) {
      const [here, there] = [expected[i], result[place]];
      if (here === undefined || there === undefined) throw new Error('a pass gave another number of rows');
      const score = Math.abs(there.score - here.score);
      // The prefix graph of a trajectory guard has no features.
      const features = there.features.length === 0 ? 0 : distance(there.features, here.features);
      const tolerance = toleranceOf(guard);
      // Rejects NaN too.
      if (!(score <= tolerance.score && features <= tolerance.features)) {
        throw wrong(
          guard,
          identity,
          { tokens: taken[place]?.length ?? 0, others: pass.length - 1 },
          here,
          there,
          features,
        );
      }
      verdict.score = Math.max(verdict.score, score);
      verdict.features = Math.max(verdict.features, features);
    }
  }
  await writeWhole(file, JSON.stringify(verdict));
  return verdict;
}

interface Row {
  score: number;
  features: Float32Array;
}

function rowsFor({ vocabSize, maxLength }: CheckedGuard): Int32Array[] {
  const lengths = [...new Set([...LENGTHS, maxLength])].filter((length) => length <= maxLength);
  return lengths.map((length, row) =>
    Int32Array.from({ length }, (_, i) => (7919 * (i + 1) + 104_729 * row) % vocabSize),
  );
}

async function onCpu(guard: CheckedGuard, rows: readonly Int32Array[]): Promise<Row[]> {
  const { checkFile, task } = guard;
  let engine: EngineProcess | undefined;
  try {
    engine = await EngineProcess.start({
      modelFile: checkFile,
      scores: 'batches',
      task,
      device: CPU,
      threads: 0,
      unoptimized: true,
    });
    return split(await featurePass(engine)(...packed(rows)), rows.length);
  } catch (error) {
    const memory = error instanceof OutOfMemoryError;
    throw new UserError(
      `device ${deviceName(guard.device)} cannot be checked against the CPU: ${messageOf(error).trim().split('\n')[0]}`,
      {
        hint: memory
          ? 'The CPU computes the same rows once, and needs memory for it: as much as the weights take on disk, and some.'
          : 'A device is not used before it is checked. Use --device cpu.',
        cause: error,
      },
    );
  } finally {
    await engine?.close();
  }
}

/** Runs whole rows through an engine process with either graph. */
export function featurePass(engine: EngineProcess, graph: EngineOptions['scores'] = 'batches'): FeaturePass {
  if (graph === 'prefixes') return prefixPass(engine);
  return async (tokenIds, lengths) => {
    const { scores } = await engine.run({ type: 'batch', tokenIds, lengths, features: true });
    const [ofRows, features] = scores;
    if (ofRows === undefined || features === undefined) throw new Error('the engine gave no features');
    return { scores: ofRows, features };
  };
}

/** The last prefix of a row is the row. */
function prefixPass(engine: EngineProcess): FeaturePass {
  return async (tokenIds, lengths) => {
    let at = 0;
    const rows = Array.from(lengths, (length) => {
      at += length;
      return { tokenIds: tokenIds.slice(at - length, at), stream: undefined };
    });
    const { scores } = await engine.run({ type: 'prefixes', rows, features: true });
    const features = scores.at(-1) ?? new Float32Array();
    return { scores: Float32Array.from(rows, (_, i) => scores[i]?.at(-1) ?? Number.NaN), features };
  };
}

function packed(rows: readonly Int32Array[]): [tokenIds: Int32Array, lengths: Int32Array] {
  return [Int32Array.from(rows.flatMap((row) => [...row])), Int32Array.from(rows, ({ length }) => length)];
}

function split({ scores, features }: Awaited<ReturnType<FeaturePass>>, rows: number): Row[] {
  const width = features.length / rows;
  return Array.from(scores, (score, i) => ({
    score,
    features: features.subarray(i * width, (i + 1) * width),
  }));
}

/** Distance of two vectors relative to the second one's norm. */
function distance(a: Float32Array, b: Float32Array): number {
  let apart = 0;
  let norm = 0;
  for (const [i, value] of b.entries()) {
    apart += ((a[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  }
  return norm === 0 ? Math.sqrt(apart) : Math.sqrt(apart / norm);
}

function wrong(
  guard: CheckedGuard,
  { device: name, driver }: DeviceIdentity,
  row: { tokens: number; others: number },
  here: Row,
  there: Row,
  features: number,
): UserError {
  const { device, numerics } = guard;
  const tolerance = toleranceOf(guard);
  const beside = row.others === 0 ? 'alone' : `beside ${row.others} others`;
  return new UserError(
    `device ${deviceName(device)} computes wrong numbers (${name}, driver ${driver}): a row of ${row.tokens} tokens, ${beside}, scores ${there.score} there and ${here.score} on the CPU, and what the head reads differs by ${(100 * features).toPrecision(2)} %; rounding (${numerics.weights}) explains ${tolerance.score} and ${100 * tolerance.features} %`,
    { hint: 'Use --device cpu. After an update of the driver or of Tocsin the device is checked again.' },
  );
}

const isSame = (a: DeviceIdentity, b: DeviceIdentity): boolean =>
  a.device === b.device && a.driver === b.driver && a.onnxruntime === b.onnxruntime;

async function readVerdict(file: string): Promise<DeviceVerdict | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as DeviceVerdict;
  } catch (error) {
    // A truncated file (after a power cut) counts as missing.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
