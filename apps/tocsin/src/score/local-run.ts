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
  /** Name of the corpus, for display. */
  name: string;
  /** Absolute paths of its files, directories and globs. */
  sources: readonly string[];
  threshold: number;
  retain: Retention;
  flags: GuardFlags;
  progress: Progress;
  interrupted: AbortSignal;
}

/** A run of this process: its row in the store, its queue, the reconciler, and a worker process. */
export class LocalRun {
  readonly pool: Pool;
  readonly queue: ParcelQueue;
  readonly guardId: number;
  readonly runId: number;
  /** Whether texts are stored: some may have to be retained. */
  readonly texts: boolean;
  /** Aborts when the run is interrupted or fails, with the reason. */
  readonly signal: AbortSignal;
  readonly telemetry: Telemetry;
  readonly #interrupted: AbortSignal;
  readonly #over = new AbortController();
  /** Aborts when no process needs to wait for the run any more. */
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
    // The revision is pinned: a branch that moves on the hub would be another guard with another queue.
    const { guard: ref, backbone, device, precision } = guard.pinned;
    const pinned = { guard: ref, device, precision, backbone };
    const workerFlags = { ...flags, ...pinned };
    const startWorker = (): WorkerChild =>
      new WorkerChild({
        args: [...guardArguments(workerFlags), '--log-level', 'warn'],
        // The metrics port belongs to fleet workers.
        env: { ...process.env, DATABASE_URL: stack.databaseUrl, TOCSIN_METRICS_PORT: undefined },
        onRestart: (message) => progress.note(message),
      });
    return new LocalRun(stack, registered, { id, texts: retain !== 'none' }, startWorker, interrupted);
  }

  /** Starts the worker once. A fully cached corpus needs none, and loads no model. */
  readonly needWorker = (): void => {
    if (this.#worker !== undefined || this.signal.aborted) return;
    const worker = this.#startWorker();
    worker.failed.addEventListener('abort', () => this.#over.abort(worker.failed.reason));
    this.#worker = worker;
    this.#workingSince = performance.now();
  };

  /** Seconds since the worker started; 0 when none was needed. */
  get workingSeconds(): number {
    return this.#worker === undefined ? 0 : (performance.now() - this.#workingSince) / 1000;
  }

  /**
   * Ends the run after all rows have outcomes. Later failures of the output do not change it.
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

  /** Ends an unfinished run: cancelled after an interrupt, failed otherwise. */
  async stop(error: unknown): Promise<void> {
    // A run that was about to finish is left to the workers or the next command.
    if (this.#left.signal.aborted) return;
    if (this.#interrupted.aborted) await withRetry(() => cancelRun(this.pool, this.runId));
    else await withRetry(() => failRun(this.pool, this.runId, reasonOf(error)));
  }

  /** Releases the run's resources. The worker finishes the parcels it holds. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the run is closed'));
    await this.#worker?.close();
    await this.#reconciling;
    await this.queue.close();
  }
}
