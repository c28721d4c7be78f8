import type { Device } from '../devices/device.js';
import type { InferenceSession } from './onnxruntime.js';

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
    // Batches come in every shape: the memory plan of one is of no use to the next.
    enableMemPattern: false,
    // After a pass onnxruntime's threads would go on for 40 ms looking for more, on cores that the next thing needs:
    // whoever waits for this score. Within a pass they still do.
    extra: { session: { force_spinning_stop: '1' } },
    logSeverityLevel: 3,
  };
}
