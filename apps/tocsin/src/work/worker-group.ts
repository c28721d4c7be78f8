import { openGuard } from '@tocsin/engine';
import { type GuardFlags, guardArguments } from '../options/guard-options.js';
import { type MetricsFlags, metricsArguments } from '../options/metrics-options.js';
import type { Service } from '../services/services.js';
import { WorkerChild } from '../services/worker-children.js';
import { type LogFlags, logArguments } from '../terminal/log.js';
import { withModelProgress } from '../terminal/model-progress.js';

export interface WorkerGroupOptions extends GuardFlags, MetricsFlags, LogFlags {
  /** One worker process per device. */
  devices: string[];
  /** Restricts the workers to this run. */
  run?: number;
  /** In milliseconds. */
  drainTimeout: number;
  databaseUrl: string;
  /** Offset of the metrics port: workers listen at consecutive ports. */
  portOffset?: number;
}

/** One worker process per device, restarted when killed. */
export class WorkerGroup implements Service {
  readonly name: string;
  readonly #options: WorkerGroupOptions;
  readonly #failed = new AbortController();
  #children: WorkerChild[] = [];

  constructor(options: WorkerGroupOptions) {
    this.#options = options;
    this.name = `workers on ${options.devices.join(', ')}`;
  }

  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  async start(signal: AbortSignal): Promise<void> {
    const flags = await this.#pinned(signal);
    this.#children = this.#options.devices.map((device, i) => {
      const child = this.#startOn(device, i, flags);
      child.failed.addEventListener('abort', () => this.#failed.abort(child.failed.reason));
      return child;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.close()));
  }

  /** Pins the guard for all workers and restarts, because a branch may move on the hub, and prepares it once. */
  async #pinned(signal: AbortSignal): Promise<GuardFlags> {
    const { guard, backbone, cacheDir, precision, threads, devices } = this.#options;
    const [device] = devices;
    const own: GuardFlags = {
      guard,
      cacheDir,
      precision,
      threads,
    };
    const { pinned } = await withModelProgress((shown) =>
      openGuard(guard, { ...own, ...shown, backbone, device, signal }),
    );
    return {
      ...own,
      guard: pinned.guard,
      backbone: pinned.backbone,
    };
  }

  #startOn(device: string, place: number, flags: GuardFlags): WorkerChild {
    const { databaseUrl, drainTimeout, run, portOffset = 0 } = this.#options;
    return new WorkerChild({
      args: [
        ...guardArguments({ ...flags, device }),
        ...logArguments(this.#options),
        ...['--drain-timeout', `${drainTimeout}ms`],
        ...metricsArguments(this.#options, portOffset + place),
        ...(run === undefined ? [] : ['--run', String(run)]),
      ],
      env: { ...process.env, DATABASE_URL: databaseUrl },
      onRestart: (message) => console.error(`${message} on ${device}`),
      onOutput: (text) => process.stderr.write(text),
    });
  }
}
