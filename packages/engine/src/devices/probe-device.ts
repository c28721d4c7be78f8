import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@tocsin/core';
import { cudaFacts } from './cuda-libraries.js';
import { CPU, type Device, deviceName } from './device.js';
import { cudaProblem, deviceProblem, unusable } from './explain-device.js';
import type { ProbeReply } from './probe-main.js';

/** By package name, which resolves to the built file even from a test that runs the sources. */
const PROBE_MAIN = fileURLToPath(import.meta.resolve('@tocsin/engine/probe-main'));
/** The first use of a GPU can be slow, since drivers compile for it. */
const PROBE_TIMEOUT_MS = 120_000;

/**
 * Tries a device with a tiny model in a separate process, so that driver faults are isolated.
 * @returns undefined when it works, otherwise onnxruntime's message
 */
export async function probeDevice(device: Device): Promise<string | undefined> {
  const child = fork(PROBE_MAIN, [JSON.stringify(device)], { stdio: 'ignore', execArgv: [] });
  const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_TIMEOUT_MS);
  let reply: ProbeReply | undefined;
  child.once('message', (message: ProbeReply) => {
    reply = message;
  });
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  clearTimeout(timer);
  if (reply === undefined) return `the process that tried it ended with ${how}`;
  return reply.error;
}

const usable = new Map<string, Promise<void>>();

/**
 * Checks once per process that a device works.
 * @throws UserError saying what is missing and how to get it
 */
export function requireDevice(device: Device): Promise<void> {
  if (device.kind === 'cpu') return Promise.resolve();
  const name = deviceName(device);
  const known = usable.get(name);
  if (known !== undefined) return known;
  const trying = tryDevice(device).catch((error: unknown) => {
    usable.delete(name);
    throw error;
  });
  usable.set(name, trying);
  return trying;
}

async function tryDevice(device: Device): Promise<void> {
  const reason = await probeDevice(device);
  if (reason !== undefined) throw unusable(device, deviceProblem(device, reason, await cudaFacts()));
}

const FIRST_GPU: Device = { kind: 'cuda', index: 0 };

/**
 * The best device of this machine: the first CUDA GPU if it works, otherwise the CPU. Never WebGPU, which has not been
 * measured.
 * @param onNote called with the reason when there is a GPU that cannot be used
 */
export async function bestDevice(onNote: (message: string) => void): Promise<Device> {
  const facts = await cudaFacts();
  // Start no process on a machine without a GPU.
  if (!facts.platform || !facts.driver) return CPU;
  const problem = cudaProblem(facts);
  if (problem !== undefined) {
    onNote(`There is a GPU, but ${problem.problem}. Scoring on the CPU. ${problem.hint}`);
    return CPU;
  }
  try {
    await requireDevice(FIRST_GPU);
    return FIRST_GPU;
  } catch (error) {
    onNote(`Scoring on the CPU: ${messageOf(error)}`);
    return CPU;
  }
}

/** What this build of onnxruntime-node is. */
export interface RuntimeFacts {
  version: string;
  /** Execution providers it was built with; unbundled ones need additional libraries. */
  providers: { name: string; bundled: boolean }[];
}

/** Loads onnxruntime's library into this process. */
export async function runtimeFacts(): Promise<RuntimeFacts> {
  // Lazy: programs that use this package need not load the library, only engine processes do.
  const { env, listSupportedBackends } = await import('../process/onnxruntime.js');
  const { versions } = env;
  return { version: versions.node ?? versions.common, providers: [...listSupportedBackends()] };
}
