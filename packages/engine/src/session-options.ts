import type { InferenceSession } from 'onnxruntime-node';
import type { Device } from './devices/device.js';

type Providers = NonNullable<InferenceSession.SessionOptions['executionProviders']>;

/** Operators without a kernel on a GPU run on the CPU. */
const PROVIDERS: Record<Device['kind'], (device: Device) => Providers> = {
  cpu: () => ['cpu'],
  cuda: ({ index }) => [{ name: 'cuda', deviceId: index }, 'cpu'],
  webgpu: () => ['webgpu', 'cpu'],
};

/** How onnxruntime loads a model for an engine process. */
export function sessionOptions({
  device,
  threads,
}: {
  device: Device;
  threads: number;
}): InferenceSession.SessionOptions {
  return {
    executionProviders: PROVIDERS[device.kind](device),
    intraOpNumThreads: threads,
    // Batches come in every shape: the memory plan of one is of no use to the next.
    enableMemPattern: false,
    logSeverityLevel: 3,
  };
}
