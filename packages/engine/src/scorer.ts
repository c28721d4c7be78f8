import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { codeOf, UserError } from '@tocsin/errors';
import { Batcher, type BatcherCounts, type RowOutcome } from './batcher.js';
import { calibrate } from './calibrate.js';
import { type CostModel, UNMEASURED } from './cost-model.js';
import { Engine, type EngineEvents } from './engine.js';
import type { OpenGuard } from './open-guard.js';
import { writeWhole } from './write-whole.js';

export interface ScorerOptions extends EngineEvents {
  /** `cpu`, or `auto`: the best there is (on this version, the CPU). */
  device?: string | undefined;
  /** Threads of a forward pass; 0, the default, takes the machine's cores. */
  threads?: number | undefined;
  /**
   * Measure what forward passes cost here, if nobody has yet: some seconds that bulk work wins back. Without it,
   * batches are planned with what was measured before, or with a model that is about right everywhere.
   */
  calibrate?: boolean | undefined;
  /** The cost model to plan with, instead of a measured one. */
  costModel?: CostModel | undefined;
}

/** A guard with its engine process: token ids in, scores out. What workers and `Guard` score with. */
export class Scorer {
  readonly #engine: Engine;
  readonly #batcher: Batcher;
  /** What forward passes cost here. */
  readonly costModel: CostModel;

  private constructor(engine: Engine, costModel: CostModel) {
    this.#engine = engine;
    this.costModel = costModel;
    this.#batcher = new Batcher((tokenIds, lengths) => engine.run(tokenIds, lengths), costModel);
  }

  /** Starts the engine process, and calibrates it if that is asked for and nobody has yet. */
  static async start(guard: OpenGuard, options: ScorerOptions = {}): Promise<Scorer> {
    requireCpu(options.device);
    const threads = options.threads ?? 0;
    const engine = new Engine({ modelFile: guard.compiled.modelFile, threads }, options);
    try {
      await engine.start();
      return new Scorer(
        engine,
        options.costModel ?? (await costModelOf(guard, engine, threads, options.calibrate ?? false)),
      );
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Forward passes so far. */
  get counts(): Readonly<BatcherCounts> {
    return this.#batcher.counts;
  }

  /** The engine process' id. */
  enginePid(): Promise<number | undefined> {
    return this.#engine.pid();
  }

  /** One outcome a row, in order. Calls may overlap: their rows share forward passes. */
  score(rows: Int32Array[]): Promise<RowOutcome[]> {
    return this.#batcher.score(rows);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

function requireCpu(device: string | undefined): void {
  if (device === undefined || device === 'auto' || device === 'cpu') return;
  throw new UserError(`device ${JSON.stringify(device)} is not supported; supported are cpu and auto`);
}

/** The measured cost model: kept beside the compiled guard, for this kind of processor and number of threads. */
async function costModelOf(
  guard: OpenGuard,
  engine: Engine,
  threads: number,
  measure: boolean,
): Promise<CostModel> {
  const processor = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const file = join(guard.compiled.dir, `cost-cpu-${threads}.json`);
  const kept = await readKept(file);
  if (kept?.processor === processor) return kept.model;
  if (!measure)
    return { ...UNMEASURED, budgetTokens: Math.max(UNMEASURED.budgetTokens, guard.artifact.maxLength) };
  const model = await calibrate(
    (tokenIds, lengths) => engine.run(tokenIds, lengths),
    guard.compiled.config.vocabSize,
    guard.artifact.maxLength,
  );
  await writeWhole(file, JSON.stringify({ processor, model }));
  return model;
}

async function readKept(file: string): Promise<{ processor: string; model: CostModel } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { processor: string; model: CostModel };
  } catch (error) {
    // One that was cut short (the machine lost power) is worth no more than none.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
