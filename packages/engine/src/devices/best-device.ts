import { messageOf } from '@tocsin/core';
import { cudaFacts } from './cuda-libraries.js';
import { CPU, type Device } from './device.js';
import { cudaProblem } from './explain-device.js';
import { requireDevice } from './probe-device.js';

const FIRST_GPU: Device = { kind: 'cuda', index: 0 };

/**
 * The best device of this machine: the first CUDA GPU where one works, else the CPU. WebGPU is never chosen by
 * itself: nobody has measured it.
 * @param onNote told when there is a GPU that cannot be used, and why
 */
export async function bestDevice(onNote: (message: string) => void): Promise<Device> {
  const facts = await cudaFacts();
  // Nothing is started on a machine that has no GPU.
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
