import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cudaFacts } from './cuda-libraries.js';
import { type Device, deviceName } from './device.js';
import { deviceProblem, unusable } from './explain-device.js';
import type { ProbeReply } from './probe-main.js';

/** By the package's name, which leads to the built file also from a test that runs the sources. */
const PROBE_MAIN = fileURLToPath(import.meta.resolve('@tocsin/engine/probe-main'));
/** The first use of a GPU can take long: drivers compile for it. */
const PROBE_TIMEOUT_MS = 120_000;

/**
 * Tries a device: a process of its own loads a tiny model there and runs it, so that what a driver does wrong happens
 * to nobody else.
 * @returns undefined when it works, or what onnxruntime said
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
 * Makes sure that a device works, once a process.
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
