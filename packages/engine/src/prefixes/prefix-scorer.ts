import { OutOfMemoryError } from '../batches/out-of-memory.js';
import type { OpenGuard } from '../compiled/open-guard.js';
import { checkDevice, checkedGuard, featurePass } from '../devices/check-device.js';
import { Engine, type EngineEvents, type Verify } from '../process/engine.js';
import { EngineDiedError, type EngineResult } from '../process/engine-process.js';
import type { EngineOptions, PrefixRow } from '../process/engine-protocol.js';

/** Scores the prefixes of a guard's items. */
export function prefixScorerOf(
  guard: OpenGuard,
  options: EngineEvents & { threads?: number; engineMain?: string } = {},
): PrefixScorer {
  const { compiled, artifact } = guard;
  const threads = options.threads ?? 0;
  const verify: Verify = async (process) => {
    await checkDevice(checkedGuard(guard, 'prefixes'), featurePass(process, 'prefixes'));
  };
  return new PrefixScorer(
    {
      modelFile: compiled.prefixFile,
      scores: 'prefixes',
      task: artifact.task,
      device: guard.device,
      threads,
    },
    options,
    options.engineMain,
    guard.device.kind === 'cpu' ? undefined : verify,
  );
}

interface Waiting {
  row: PrefixRow;
  resolve(scores: Float32Array): void;
  reject(error: unknown): void;
}

const isWorthRepeating = (error: unknown): boolean =>
  error instanceof EngineDiedError || error instanceof OutOfMemoryError;

/** Attempts of a row that kills the engine process, which may have been killed from outside. */
const TRIES = 2;

/**
 * Scores prefixes with an engine process. Rows that arrive while a request runs join the next one, so that streams share
 * forward passes. When a request fails, each of its rows is retried alone, and only the bad one gets the error.
 */
export class PrefixScorer {
  readonly #engine: Engine;
  #waiting: Waiting[] = [];
  #running = false;
  #streams = 0;

  /** The engine process starts at the first use, or with `start()`. */
  constructor(options: EngineOptions, events: EngineEvents = {}, main?: string, verify?: Verify) {
    this.#engine = new Engine(options, events, main, verify);
  }

  start(): Promise<void> {
    return this.#engine.start();
  }

  /** A new stream's number. At most one row of a stream may wait at a time. */
  newStream(): number {
    return this.#streams++;
  }

  /** Frees a stream's memory in the engine process. */
  endStream(stream: number): void {
    this.#engine.forget(stream);
  }

  /** P(harmful) of each of the row's prefixes: as many as it has tokens. */
  score(row: PrefixRow): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      void this.#pump();
    });
  }

  enginePid(): Promise<number | undefined> {
    return this.#engine.pid();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#waiting.length > 0) await this.#serve(this.#waiting.splice(0));
    this.#running = false;
  }

  async #serve(batch: Waiting[]): Promise<void> {
    try {
      const { scores } = await this.#run(batch);
      for (const [i, { resolve, reject }] of batch.entries()) {
        const ofRow = scores[i];
        if (ofRow === undefined) reject(new Error('the engine gave no scores for a row'));
        else resolve(ofRow);
      }
    } catch (error) {
      const [only, ...others] = batch;
      if (only !== undefined && others.length === 0) only.reject(error);
      else for (const waiting of batch) await this.#serve([waiting]);
    }
  }

  async #run(batch: Waiting[]): Promise<EngineResult> {
    const request = { type: 'prefixes' as const, rows: batch.map(({ row }) => row) };
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#engine.run(request);
      } catch (error) {
        if (batch.length > 1 || attempt === TRIES || !isWorthRepeating(error)) throw error;
      }
    }
  }
}
