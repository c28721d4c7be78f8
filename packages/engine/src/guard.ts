import { UserError } from '@tocsin/errors';
import { type ContentInput, type Task, textOf } from '@tocsin/siren';
import { prepareContents } from './content.js';
import { type OpenGuard, type OpenGuardOptions, openGuard } from './open-guard.js';
import { Scorer, type ScorerOptions } from './scorer.js';
import { Tokenizer } from './tokenizer.js';

export type GuardOptions = OpenGuardOptions & Pick<ScorerOptions, 'device' | 'threads'>;

export interface ScoreOptions {
  /** Instead of the artifact's default, for this call. */
  threshold?: number | undefined;
}

/** As the reference's ScoreResult. */
export interface ScoreResult {
  /** P(harmful), 0 to 1. */
  score: number;
  /** score >= threshold */
  isHarmful: boolean;
  threshold: number;
}

export interface GuardInfo {
  ref: string;
  task: Task;
  fingerprint: string;
  family: string;
  /** The backbone that the artifact names. */
  modelId: string;
  revision: string | undefined;
  /** Layers that are read; blocks above the last of them are never loaded. */
  layers: number[];
  maxLength: number;
  defaultThreshold: number;
  precision: string;
}

/**
 * A SIREN guard as a library: no server, no database. Has an engine process of its own until `close()`.
 *
 * @example
 * const guard = await Guard.fromPretrained('starter');
 * const { score, isHarmful } = await guard.score({ text: 'How do I bake bread?' });
 * await guard.close();
 */
export class Guard {
  readonly #open: OpenGuard;
  readonly #tokenizer: Tokenizer;
  readonly #scorer: Scorer;

  private constructor(open: OpenGuard, tokenizer: Tokenizer, scorer: Scorer) {
    this.#open = open;
    this.#tokenizer = tokenizer;
    this.#scorer = scorer;
  }

  /**
   * Loads a guard.
   * @param ref `starter`, an artifact's directory, or its siren_config.json
   * @throws UserError for what is missing, does not fit, or is not supported
   */
  static async fromPretrained(ref: string, options: GuardOptions = {}): Promise<Guard> {
    const open = await openGuard(ref, options);
    const tokenizer = await Tokenizer.open(open.compiled.tokenizerFile, open.artifact.maxLength);
    return new Guard(open, tokenizer, await Scorer.start(open, options));
  }

  get info(): GuardInfo {
    const { artifact, compiled, fingerprint, precision, ref } = this.#open;
    return {
      ref,
      fingerprint,
      family: compiled.config.family,
      modelId: artifact.baseModel.modelId,
      revision: artifact.baseModel.revision,
      task: artifact.task,
      layers:
        artifact.task === 'content' ? artifact.layers.map((layer) => layer.index) : [artifact.blocks - 1],
      maxLength: artifact.maxLength,
      defaultThreshold: artifact.defaultThreshold,
      precision,
    };
  }

  /** Scores one text, or a prompt and/or the response to it. Same rules as llm-siren `SirenGuard.score`. */
  async score(input: ContentInput, options: ScoreOptions = {}): Promise<ScoreResult> {
    const [result] = await this.scoreBatch([input], options);
    if (result === undefined) throw new Error('one input gave no result');
    return result;
  }

  /**
   * Scores many. They are batched by what forward passes cost, whatever their order; results come in the given order.
   * @throws UserError naming the first input that cannot be scored
   */
  async scoreBatch(
    inputs: readonly (string | ContentInput)[],
    options: ScoreOptions = {},
  ): Promise<ScoreResult[]> {
    const threshold = thresholdOf(options.threshold ?? this.#open.artifact.defaultThreshold);
    const texts = inputs.map((input, i) => textAt(input, i, inputs.length));
    const contents = await prepareContents(this.#tokenizer, texts);
    const outcomes = await this.#scorer.score(contents.map((content) => content.tokenIds));
    return outcomes.map(({ score, error }, i) => {
      if (score === undefined) throw new Error(`input ${i} could not be scored: ${error}`);
      return { score, isHarmful: score >= threshold, threshold };
    });
  }

  /** Ends the engine process. */
  close(): Promise<void> {
    return this.#scorer.close();
  }
}

function textAt(input: string | ContentInput, index: number, count: number): string {
  try {
    return textOf(typeof input === 'string' ? { text: input } : input);
  } catch (error) {
    if (count === 1 || !(error instanceof UserError)) throw error;
    throw new UserError(`input ${index}: ${error.message}`, { cause: error });
  }
}

function thresholdOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new UserError(`threshold must be a number from 0 to 1, got ${String(value)}`);
}
