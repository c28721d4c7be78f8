import { type Retention, reasonOf } from '@tocsin/core';
import type { OpenGuard } from '@tocsin/engine';
import { reconcile, registerOpenGuard } from '@tocsin/pipeline';
import { type Pool, withRetry } from '@tocsin/postgres';
import { ParcelQueue, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun, failRun, finishRun, type RegisteredGuard, runHasEnded } from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import { type GuardFlags, guardArguments } from '../options/guard-options.js';
import type { Stack } from '../services/stack.js';
import { WorkerChild } from '../services/worker-children.js';
import type { Progress } from './progress.js';

export interface LocalRunOptions {
  stack: Stack;
  guard: OpenGuard;
  /** What is scored, for people. */
  name: string;
  /** Absolute paths of its files, directories and patterns. */
  sources: readonly string[];
  threshold: number;
  retain: Retention;
  flags: GuardFlags;
  progress: Progress;
  interrupted: AbortSignal;
}

/** A run of this process: its row in the store, its queue, the reconciler, and a worker process of its own. */
export class LocalRun {
  readonly pool: Pool;
  readonly queue: ParcelQueue;
  readonly guardId: number;
  readonly runId: number;
  /** Whether texts are stored: some may have to be retained. */
  readonly texts: boolean;
  /** Aborts when the run is interrupted or something in it has failed, with the reason. */
  readonly signal: AbortSignal;
  readonly telemetry: Telemetry;
  readonly #interrupted: AbortSignal;
  readonly #over = new AbortController();
  /** Aborts when no process has to wait for the run any more. */
  readonly #left = new AbortController();
  readonly #startWorker: () => WorkerChild;
  readonly #reconciling: Promise<void>;
  #worker: WorkerChild | undefined;
  #workingSince = 0;

  private constructor(
    stack: Stack,
    guard: RegisteredGuard,
    run: { id: number; texts: boolean },
    startWorker: () => WorkerChild,
    interrupted: AbortSignal,
  ) {
    this.pool = stack.pool;
    this.telemetry = stack.telemetry;
    this.queue = new ParcelQueue(stack.backend, queueNameOf(guard.queue));
    this.guardId = guard.id;
    this.runId = run.id;
    this.texts = run.texts;
    this.#interrupted = interrupted;
    this.signal = AbortSignal.any([interrupted, this.#over.signal]);
    this.#startWorker = startWorker;
    const attended = AbortSignal.any([this.signal, this.#left.signal]);
    this.#reconciling = reconcile(this, attended).catch((error: unknown) => {
      if (!this.#left.signal.aborted) this.#over.abort(error);
    });
  }

  static async open(options: LocalRunOptions): Promise<LocalRun> {
    const { stack, guard, name, sources, threshold, retain, flags, progress, interrupted } = options;
    const registered = await registerOpenGuard(stack.pool, guard);
    const id = await withRetry(() =>
      createRun(stack.pool, registered.id, name, { threshold, retain, sources }),
    );
    // A branch that moves on the hub in between would be another guard, whose queue is another one.
    const { guard: ref, backbone, device, precision } = guard.pinned;
    const pinned = { guard: ref, device, precision, backbone };
    const workerFlags = { ...flags, ...pinned };
    const startWorker = (): WorkerChild =>
      new WorkerChild({
        args: [...guardArguments(workerFlags), '--log-level', 'warn'],
        // The port of a fleet's worker is not for this one.
        env: { ...process.env, DATABASE_URL: stack.databaseUrl, TOCSIN_METRICS_PORT: undefined },
        onRestart: (message) => progress.note(message),
      });
    return new LocalRun(stack, registered, { id, texts: retain !== 'none' }, startWorker, interrupted);
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

  /**
   * Ends the run, whose rows all have their outcomes. What becomes of the output later does not change it.
   * @returns `failed` when no row has a score
   * @throws UserError when it was cancelled
   */
  async finish(): Promise<'done' | 'failed'> {
    this.#left.abort(new Error('the run is over'));
    await this.#reconciling;
    const state = await withRetry(() => finishRun(this.pool, this.runId));
    if (state === 'done' || state === 'failed') return state;
    throw runHasEnded(this.runId, state && { state, reason: null });
  }

  /** Ends a run that was not finished: it is cancelled when it was interrupted, and else has failed. */
  async stop(error: unknown): Promise<void> {
    // One that was being finished is left to the workers, or to the next command.
    if (this.#left.signal.aborted) return;
    if (this.#interrupted.aborted) await withRetry(() => cancelRun(this.pool, this.runId));
    else await withRetry(() => failRun(this.pool, this.runId, reasonOf(error)));
  }

  /** Lets go of what the run needed. The worker finishes what it holds. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the run is closed'));
    await this.#worker?.close();
    await this.#reconciling;
    await this.queue.close();
  }
}
