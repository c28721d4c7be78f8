import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  cudaFacts,
  cudaProblem,
  deviceProblem,
  parseDevice,
  probeDevice,
  runtimeFacts,
} from '@tocsin/engine';
import { type Check, type Finding, note, ok, problem } from '../checkup.js';

const RUNTIME = 'onnxruntime';

/** The runtime and the execution providers that load. Each is tried in a separate process. */
export const runtimeCheck: Check = {
  subject: RUNTIME,
  look: async () => {
    const { version, providers } = await runtimeFacts();
    const names = providers.map(({ name }) => name).join(', ');
    return [
      await cpu(`${version}, built with ${names}`),
      ...(providers.some(({ name }) => name === 'webgpu') ? [await webgpu()] : []),
    ];
  },
};

async function cpu(what: string): Promise<Finding> {
  const failure = await tried('cpu');
  if (failure === undefined) return ok(RUNTIME, what);
  return problem(
    RUNTIME,
    `${what}; does not run: ${failure}`,
    'Install it again: npm rebuild onnxruntime-node.',
  );
}

async function webgpu(): Promise<Finding> {
  const failure = await tried('webgpu');
  if (failure === undefined)
    return ok(
      'webgpu',
      'starts (--device webgpu); its scores are checked against the CPU when a guard is first loaded: tocsin doctor --device webgpu --guard ...',
    );
  return note('webgpu', 'nothing to run on', 'Only needed for --device webgpu: a GPU with a Vulkan driver.');
}

async function tried(name: string): Promise<string | undefined> {
  const device = parseDevice(name);
  return device === 'auto' ? undefined : probeDevice(device);
}

const GPU = 'cuda';
const QUERY = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
const FIRST = { kind: 'cuda', index: 0 } as const;

/** NVIDIA GPUs, and whether onnxruntime can use them. */
export const gpuCheck: Check = {
  subject: GPU,
  look: async () => {
    const facts = await cudaFacts();
    if (!facts.platform || !facts.driver) {
      return [ok(GPU, 'no NVIDIA GPU here: scoring on the CPU')];
    }
    return [...(await gpus()), await usable(facts)];
  },
};

async function usable(facts: Awaited<ReturnType<typeof cudaFacts>>): Promise<Finding> {
  const missing = cudaProblem(facts);
  if (missing !== undefined) return note(GPU, missing.problem, missing.hint);
  const reason = await probeDevice(FIRST);
  if (reason === undefined)
    return ok(
      GPU,
      'onnxruntime starts on the first GPU (--device cuda); its scores are checked against the CPU when a guard is first loaded: tocsin doctor --device cuda --guard ...',
    );
  const { problem, hint } = deviceProblem(FIRST, reason, facts);
  return note(GPU, problem, hint);
}

async function gpus(): Promise<Finding[]> {
  try {
    return gpuLines((await promisify(execFile)('nvidia-smi', QUERY)).stdout);
  } catch {
    return [note('gpu', 'nvidia-smi does not answer', "Install NVIDIA's driver utilities to list the GPUs.")];
  }
}

/** Findings from the output of nvidia-smi: name, driver, memory. */
export function gpuLines(stdout: string): Finding[] {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, i) => {
    const [name = '', driver = '', memory = ''] = line.split(',').map((part) => part.trim());
    return ok(`gpu ${i}`, `${name}, driver ${driver}, ${memory}`);
  });
}
