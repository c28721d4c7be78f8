import { parseDevice, probeDevice, runtimeFacts } from '@tocsin/engine';
import type { Check } from '../checkup.js';
import { type Finding, note, ok, problem } from '../finding.js';

const SUBJECT = 'onnxruntime';

/** The library, and which of its execution providers really load: each is tried in a process of its own. */
export const runtimeCheck: Check = {
  subject: SUBJECT,
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
  if (failure === undefined) return ok(SUBJECT, what);
  return problem(
    SUBJECT,
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
