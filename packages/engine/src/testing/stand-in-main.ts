/**
 * An engine process for a missing device: the real one on the CPU, with a fault from STAND_IN (JSON).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readTensors } from '@tocsin/siren/testing';
import { CPU } from '../devices/device.js';
import type { EngineOptions } from '../process/engine-protocol.js';
import { InferenceSession } from '../process/onnxruntime.js';

export interface StandIn {
  /** A weight of the checkpoint whose first row is altered. */
  corrupt?: string;
  /** The error of a pass of more than `maxTokens`, or of loading the model. */
  saying?: string;
  maxTokens?: number;
  /** Bytes of address space beyond what the loaded model uses. */
  addressSpace?: number;
}

const options = JSON.parse(process.argv[2] ?? '') as EngineOptions;
const { corrupt, saying, maxTokens, addressSpace } = JSON.parse(process.env.STAND_IN ?? '{}') as StandIn;
const modelFile = corrupt === undefined ? options.modelFile : corrupted(options.modelFile, corrupt);
process.argv[2] = JSON.stringify({ ...options, modelFile, device: CPU });

const { create } = InferenceSession;
InferenceSession.create = (async (...args: Parameters<typeof create>) => {
  if (saying !== undefined && maxTokens === undefined) throw new Error(saying);
  const session = await create.apply(InferenceSession, args);
  const run = session.run.bind(session);
  session.run = (async (...given: Parameters<typeof run>) => {
    const [feeds] = given;
    const tokens = (feeds as Record<string, { dims: readonly number[] }>).token_ids?.dims[0] ?? 0;
    if (saying !== undefined && maxTokens !== undefined && tokens > maxTokens) throw new Error(saying);
    return run(...given);
  }) as typeof session.run;
  if (addressSpace !== undefined) limitAddressSpace(addressSpace);
  return session;
}) as typeof create;

await import('../process/engine-main.js');

/** A copy of the model's directory with one weight altered. */
function corrupted(modelFile: string, name: string): string {
  const dir = mkdtempSync(join(dirname(dirname(modelFile)), 'stand-in-'));
  for (const entry of readdirSync(dirname(modelFile)))
    copyFileSync(join(dirname(modelFile), entry), join(dir, entry));
  const weights = join(dir, 'weights-0.safetensors');
  const file = readFileSync(weights);
  const tensor = readTensors(file).find((one) => one.name === name);
  if (tensor === undefined) throw new Error(`no weight ${name}`);
  const { bytes } = tensor;
  // Flips the lowest exponent bit of the first row, which halves or doubles its values in any float type.
  const size = bytes.byteLength / tensor.shape.reduce((product, dim) => product * dim, 1);
  const row = size * (tensor.shape.at(-1) ?? 1);
  for (let at = size - 2; at < row; at += size) bytes[at] = (bytes[at] ?? 0) ^ 0x80;
  writeFileSync(weights, file);
  return join(dir, basename(modelFile));
}

function limitAddressSpace(more: number): void {
  const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]);
  execFileSync('prlimit', ['--pid', String(process.pid), `--as=${pages * 4096 + more}`]);
}
