import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cudaFacts, cudaProblem, deviceProblem, probeDevice } from '@tocsin/engine';
import type { Check } from '../checkup.js';
import { type Finding, note, ok } from '../finding.js';

const SUBJECT = 'cuda';
const QUERY = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
const FIRST = { kind: 'cuda', index: 0 } as const;

/** NVIDIA's GPUs, and whether onnxruntime can use them. */
export const gpuCheck: Check = {
  subject: SUBJECT,
  look: async () => {
    const facts = await cudaFacts();
    if (!facts.platform || !facts.driver) {
      return [ok(SUBJECT, 'no NVIDIA GPU here: scoring on the CPU')];
    }
    return [...(await gpus()), await usable(facts)];
  },
};

async function usable(facts: Awaited<ReturnType<typeof cudaFacts>>): Promise<Finding> {
  const missing = cudaProblem(facts);
  if (missing !== undefined) return note(SUBJECT, missing.problem, missing.hint);
  const reason = await probeDevice(FIRST);
  if (reason === undefined)
    return ok(
      SUBJECT,
      'onnxruntime starts on the first GPU (--device cuda); its scores are checked against the CPU when a guard is first loaded: tocsin doctor --device cuda --guard ...',
    );
  const { problem, hint } = deviceProblem(FIRST, reason, facts);
  return note(SUBJECT, problem, hint);
}

async function gpus(): Promise<Finding[]> {
  try {
    return gpuLines((await promisify(execFile)('nvidia-smi', QUERY)).stdout);
  } catch {
    return [
      note('gpu', 'nvidia-smi does not answer', "Install NVIDIA's driver utilities to see what is there."),
    ];
  }
}

/** nvidia-smi's answer as findings: name, driver, memory. */
export function gpuLines(stdout: string): Finding[] {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, i) => {
    const [name = '', driver = '', memory = ''] = line.split(',').map((part) => part.trim());
    return ok(`gpu ${i}`, `${name}, driver ${driver}, ${memory}`);
  });
}
