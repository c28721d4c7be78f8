import type { OpenGuard } from '@tocsin/engine';
import { reconcile } from '@tocsin/producer';
import { ParcelQueue, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun, type Pool, registerGuard, setRunState, withRetry } from '@tocsin/store';
import { type GuardFlags, guardArguments } from '../guard-options.js';
import type { Stack } from '../stack.js';
import { WorkerChild } from '../worker-children.js';
import type { Progress } from './progress.js';

/** A run of this process: its row in the store, its queue, the reconciler, and a worker process of its own. */
export class LocalRun {
  readonly pool: Pool;
  readonly queue: ParcelQueue;
  readonly guardId: number;
  readonly runId: number;
  /** Aborts when the run is interrupted or something in it has failed, with the reason. */
  readonly signal: AbortSignal;
  readonly #over = new AbortController();
  readonly #startWorker: () => WorkerChild;
  readonly #reconciling: Promise<void>;
  #worker: WorkerChild | undefined;
  #workingSince = 0;

  private constructor(
    stack: Stack,
    guard: OpenGuard,
    ids: { guardId: number; runId: number },
    startWorker: () => WorkerChild,
    interrupted: AbortSignal,
  ) {
    this.pool = stack.pool;
    this.queue = new ParcelQueue(stack.backend, queueNameOf(guard.fingerprint));
    this.guardId = ids.guardId;
    this.runId = ids.runId;
    this.signal = AbortSignal.any([interrupted, this.#over.signal]);
    this.#startWorker = startWorker;
    this.#reconciling = reconcile(this, this.signal).catch((error: unknown) => {
      this.#over.abort(error);
    });
  }

  static async open(
    stack: Stack,
    guard: OpenGuard,
    name: string,
    flags: GuardFlags,
    progress: Progress,
    interrupted: AbortSignal,
  ): Promise<LocalRun> {
    const guardId = await registerGuard(stack.pool, guard.fingerprint, guard.pinned.guard);
    const runId = await createRun(stack.pool, guardId, name);
    // A branch that moves on the hub in between would be another guard, whose queue is another one.
    const { guard: ref, backbone } = guard.pinned;
    const workerFlags = { ...flags, guard: ref, ...(backbone === undefined ? {} : { backbone }) };
    const startWorker = (): WorkerChild =>
      new WorkerChild({
        args: [...guardArguments(workerFlags), '--log-level', 'warn'],
        env: { ...process.env, DATABASE_URL: stack.databaseUrl },
        onRestart: (message) => progress.note(message),
      });
    return new LocalRun(stack, guard, { guardId, runId }, startWorker, interrupted);
  }

  /** Starts the worker, once. A corpus that is finished needs none: no model is loaded for it. */
  readonly needWorker = (): void => {
    if (this.#worker !== undefined || this.signal.aborted) return;
    const worker = this.#startWorker();
    worker.failed.addEventListener('abort', () => this.#over.abort(worker.failed.reason));
    this.#worker = worker;
    this.#workingSince = performance.now();
  };

  /** Seconds since the worker was started; 0 when none was needed. */
  get workingSeconds(): number {
    return this.#worker === undefined ? 0 : (performance.now() - this.#workingSince) / 1000;
  }

  /** Ends the run: as done, or else as cancelled. The worker finishes what it holds. */
  async close(outcome: 'done' | 'cancelled'): Promise<void> {
    this.#over.abort(new Error('the run is closed'));
    try {
      if (outcome === 'done') await withRetry(() => setRunState(this.pool, this.runId, 'done'));
      else await cancelRun(this.pool, this.runId);
    } finally {
      await this.#worker?.close();
      await this.#reconciling;
      await this.queue.close();
    }
  }
}
