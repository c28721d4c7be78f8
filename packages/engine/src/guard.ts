import { UserError } from '@tocsin/errors';
import { type ContentInput, type Task, textOf } from '@tocsin/siren';
import { prepareContents } from './content.js';
import { growingText } from './item-stream.js';
import { type OpenGuard, type OpenGuardOptions, openGuard } from './open-guard.js';
import { type PrefixScorer, prefixScorerOf } from './prefix-scorer.js';
import { PrefixStream, type StreamScore } from './prefix-stream.js';
import { Scorer, type ScorerOptions } from './scorer.js';
import { Tokenizer } from './tokenizer.js';
import { seenTokens, type Trace, tracedText, traceOf } from './trace.js';

export interface GuardOptions extends OpenGuardOptions, Pick<ScorerOptions, 'device' | 'threads'> {
  /**
   * What is loaded at the start: `scores` (the default) for `score()` and `scoreBatch()`, `prefixes` for `stream()`
   * and `trace()`. Each is a model in an engine process of its own; the other one is loaded at its first use.
   */
  load?: 'scores' | 'prefixes' | undefined;
}

export interface ScoreOptions {
  /** Instead of the artifact's default, for this call. */
  threshold?: number | undefined;
}

export interface StreamOptions extends ScoreOptions {
  /** Content guards: what the streamed text is the response to. */
  prompt?: string | undefined;
  /** Told of the first prefix that is harmful; the stream ends with it. Without it a stream goes on. */
  onHarmful?: ((score: StreamScore) => void) | undefined;
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
  readonly #options: GuardOptions;
  readonly #prefixes: PrefixScorer;
  #scorer: Promise<Scorer> | undefined;

  private constructor(open: OpenGuard, tokenizer: Tokenizer, options: GuardOptions) {
    this.#open = open;
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#prefixes = prefixScorerOf(open, options);
  }

  /**
   * Loads a guard.
   * @param ref `starter`, an artifact's directory, or its siren_config.json
   * @throws UserError for what is missing, does not fit, or is not supported
   */
  static async fromPretrained(ref: string, options: GuardOptions = {}): Promise<Guard> {
    const open = await openGuard(ref, options);
    const tokenizer = await Tokenizer.open(open.compiled.tokenizerFile, open.artifact.maxLength);
    const guard = new Guard(open, tokenizer, options);
    await (options.load === 'prefixes' ? guard.#prefixes.start() : guard.#scores());
    return guard;
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
    const threshold = this.#threshold(options);
    const texts = inputs.map((input, i) => textAt(input, i, inputs.length));
    const contents = await prepareContents(this.#tokenizer, texts);
    const scorer = await this.#scores();
    const outcomes = await scorer.score(contents.map((content) => content.tokenIds));
    return outcomes.map(({ score, error }, i) => {
      if (score === undefined) throw new Error(`input ${i} could not be scored: ${error}`);
      return { score, isHarmful: score >= threshold, threshold };
    });
  }

  /**
   * An item that comes chunk by chunk, e.g. the answer of a model while it is written: each push gives the score of all
   * so far, equal to scoring it from scratch, at the cost of the new tokens only. Any number of streams may run at once;
   * they share forward passes.
   *
   * @example
   * const stream = guard.stream({ prompt, onHarmful: () => answer.cancel() });
   * for await (const { score } of stream.scores(answer)) show(score);
   * await stream.close();
   */
  stream(options: StreamOptions = {}): PrefixStream<string> {
    const { prompt, onHarmful } = options;
    const threshold = this.#threshold(options);
    return new PrefixStream(this.#prefixes, { threshold, onHarmful }, growingText(this.#tokenizer, prompt));
  }

  /** The score after every token of an item, out of one forward pass: where does it turn harmful? */
  async trace(input: string | ContentInput, options: ScoreOptions = {}): Promise<Trace> {
    const threshold = this.#threshold(options);
    const item = await tracedText(this.#tokenizer, this.#open.artifact.maxLength, textAt(input, 0, 1));
    const scores = await this.#prefixes.score({ tokenIds: seenTokens(item), stream: undefined });
    return traceOf(item, scores, threshold);
  }

  /** Ends the engine processes. */
  async close(): Promise<void> {
    // One that failed to start is closed; whoever waited for it has the error.
    const scorer = await this.#scorer?.catch(() => undefined);
    await Promise.all([scorer?.close(), this.#prefixes.close()]);
  }

  #scores(): Promise<Scorer> {
    this.#scorer ??= Scorer.start(this.#open, this.#options).catch((error: unknown) => {
      this.#scorer = undefined;
      throw error;
    });
    return this.#scorer;
  }

  #threshold({ threshold }: ScoreOptions): number {
    return thresholdOf(threshold ?? this.#open.artifact.defaultThreshold);
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
