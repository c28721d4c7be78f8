import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@tocsin/core';
import type { OpenGuard } from '../compiled/open-guard.js';
import { writeWhole } from '../compiled/write-whole.js';
import { checkDevice, checkedGuard, type DeviceVerdict, featurePass } from '../devices/check-device.js';
import { deviceName } from '../devices/device.js';
import { batchesOf, Engine, type EngineEvents, type Verify } from '../process/engine.js';
import { Batcher, type BatcherCounts, type BatcherScoreOptions, type Pass } from './batcher.js';
import { budgetsOf, calibrate, type TimePass } from './calibrate.js';
import type { RowOutcome } from './lanes.js';
import { type CostModel, UNMEASURED } from './plan-batches.js';

export interface ScorerOptions extends EngineEvents {
  /** Threads of a forward pass; 0 (default) for the number of cores. */
  threads?: number;
  /**
   * Calibrate after this many tokens unless done before: it takes some seconds, which only large corpora win back. 0
   * calibrates at the start. When undefined, batches are planned with earlier measurements or a default.
   */
  calibrateAfter?: number;
  /** The cost model to plan with, instead of a measured one. */
  costModel?: CostModel;
  /** The engine process' program, for tests: one that stands in for a missing device. */
  engineMain?: string;
  /** Called after every successful forward pass. */
  onPass?: (pass: Pass) => void;
  /** Called with the new token limit of batches, when more did not fit into memory. */
  onBudget?: (budgetTokens: number) => void;
}

/** A guard with its engine process: token ids in, scores out. Used by workers and `Guard`. */
export class Scorer {
  readonly #engine: Engine;
  readonly #batcher: Batcher;
  readonly #measure: (run: TimePass) => Promise<CostModel>;
  /** The device's deviation from a CPU; undefined for a CPU. */
  readonly verdict: DeviceVerdict | undefined;
  #measureAfter: number;

  private constructor(
    engine: Engine,
    costModel: CostModel,
    measureAfter: number,
    measure: (run: TimePass) => Promise<CostModel>,
    verdict: DeviceVerdict | undefined,
    { onPass, onBudget }: Pick<ScorerOptions, 'onPass' | 'onBudget'>,
  ) {
    this.#engine = engine;
    this.#batcher = new Batcher(batchesOf(engine), costModel, onPass, onBudget);
    this.verdict = verdict;
    this.#measureAfter = measureAfter;
    this.#measure = measure;
  }

  /**
   * Starts the engine process. The first time, a device other than a CPU is checked against one.
   * @throws UserError for a device that is missing, computes wrong numbers, or has too little memory for the guard
   */
  static async start(guard: OpenGuard, options: ScorerOptions = {}): Promise<Scorer> {
    const threads = options.threads ?? 0;
    let verdict: DeviceVerdict | undefined;
    const verify: Verify = async (process) => {
      verdict = await checkDevice(checkedGuard(guard, 'batches'), featurePass(process));
    };
    const engine = new Engine(
      {
        modelFile: guard.compiled.modelFile,
        scores: 'batches',
        task: guard.artifact.task,
        device: guard.device,
        threads,
      },
      options,
      options.engineMain,
      guard.device.kind === 'cpu' ? undefined : verify,
    );
    const measure = (run: TimePass): Promise<CostModel> => measureCosts(guard, run, threads);
    try {
      await engine.start();
      const known = options.costModel ?? (await keptCosts(guard, threads));
      const measureAfter = known === undefined ? options.calibrateAfter : undefined;
      const costModel =
        known ?? (measureAfter === 0 ? await measure(batchesOf(engine)) : guessedCosts(guard));
      const after = measureAfter || Number.POSITIVE_INFINITY;
      const onBudget = (budgetTokens: number): void => {
        options.onBudget?.(budgetTokens);
        void lowerKeptBudget(guard, threads, budgetTokens);
      };
      return new Scorer(engine, costModel, after, measure, verdict, { ...options, onBudget });
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** The cost model in use. */
  get costModel(): CostModel {
    return this.#batcher.costModel;
  }

  /** Forward passes so far. */
  get counts(): Readonly<BatcherCounts> {
    return this.#batcher.counts;
  }

  /**
   * Resolves when an engine process has loaded its model. Replaces a dead process.
   * @throws when it cannot be replaced, saying why
   */
  ready(): Promise<void> {
    return this.#engine.start();
  }

  /** The engine process' id. */
  enginePid(): Promise<number | undefined> {
    return this.#engine.pid();
  }

  /** One outcome per row, in order. Calls may overlap: their rows share forward passes. */
  async score(rows: Int32Array[], options: BatcherScoreOptions = {}): Promise<RowOutcome[]> {
    const outcomes = await this.#batcher.score(rows, options);
    if (this.counts.tokens >= this.#measureAfter) this.#calibrate();
    return outcomes;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  /** Among the batches: the engine process takes one pass at a time, and times each by itself. */
  #calibrate(): void {
    this.#measureAfter = Number.POSITIVE_INFINITY;
    this.#measure((tokenIds, lengths) => this.#batcher.time(tokenIds, lengths)).then(
      (model) => {
        this.#batcher.costModel = model;
      },
      // The engine died or was closed meanwhile: callers of score see the error, and the next start calibrates.
      () => {},
    );
  }
}

/** Measured costs are valid for one processor model and thread count. */
const processor = (): string => `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`;
const costFile = (guard: OpenGuard, threads: number): string =>
  join(guard.compiled.dir, `cost-${deviceName(guard.device).replace(':', '-')}-${threads}.json`);

/** The costs measured here before. */
async function keptCosts(guard: OpenGuard, threads: number): Promise<CostModel | undefined> {
  const kept = await readKept(costFile(guard, threads));
  return kept?.processor === processor() ? kept.model : undefined;
}

/** Stores the lower limit for the next process. */
async function lowerKeptBudget(guard: OpenGuard, threads: number, budgetTokens: number): Promise<void> {
  try {
    const file = costFile(guard, threads);
    const kept = await readKept(file);
    if (kept === undefined || kept.model.budgetTokens <= budgetTokens) return;
    await writeWhole(file, JSON.stringify({ ...kept, model: { ...kept.model, budgetTokens } }));
  } catch {
    // The next process finds the limit itself.
  }
}

function guessedCosts(guard: OpenGuard): CostModel {
  return { ...UNMEASURED, budgetTokens: Math.max(UNMEASURED.budgetTokens, guard.artifact.maxLength) };
}

/** Calibrates, and stores the result beside the compiled guard. */
async function measureCosts(guard: OpenGuard, run: TimePass, threads: number): Promise<CostModel> {
  const model = await calibrate(
    run,
    guard.compiled.config.vocabSize,
    guard.artifact.maxLength,
    budgetsOf(guard.device.kind),
  );
  await writeWhole(costFile(guard, threads), JSON.stringify({ processor: processor(), model }));
  return model;
}

async function readKept(file: string): Promise<{ processor: string; model: CostModel } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { processor: string; model: CostModel };
  } catch (error) {
    // A truncated file (after a power cut) counts as missing.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
