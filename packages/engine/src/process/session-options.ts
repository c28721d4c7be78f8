import type { Device } from '../devices/device.js';
import type { InferenceSession } from './onnxruntime.js';

type Providers = NonNullable<InferenceSession.SessionOptions['executionProviders']>;

/** Operators without a kernel on a GPU run on the CPU. */
const PROVIDERS: Record<Device['kind'], (device: Device) => Providers> = {
  cpu: () => ['cpu'],
  cuda: ({ index }) => [{ name: 'cuda', deviceId: index }, 'cpu'],
  webgpu: () => ['webgpu', 'cpu'],
};

/** Session options of an engine process. */
export function sessionOptions({
  device,
  threads,
  unoptimized = false,
}: {
  device: Device;
  threads: number;
  unoptimized?: boolean;
}): InferenceSession.SessionOptions {
  return {
    executionProviders: PROVIDERS[device.kind](device),
    intraOpNumThreads: threads,
    graphOptimizationLevel: unoptimized ? 'disabled' : 'all',
    // Batches vary in shape, so memory plans are not reusable.
    enableMemPattern: false,
    // After a pass onnxruntime's threads would spin for 40 ms on cores that are needed to return the scores. Within a
    // pass they still spin.
    extra: { session: { force_spinning_stop: '1' } },
    logSeverityLevel: 3,
  };
}
