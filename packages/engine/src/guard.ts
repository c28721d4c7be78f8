import { UserError } from '@tocsin/core';
import type { Task } from '@tocsin/siren';
import { Scorer, type ScorerOptions } from './batches/scorer.js';
import { type OpenGuard, type OpenGuardOptions, openGuard } from './compiled/open-guard.js';
import type { DeviceVerdict } from './devices/check-device.js';
import { deviceName } from './devices/device.js';
import { type Content, type Item, Preparation } from './items/preparation.js';
import { type PrefixScorer, prefixScorerOf } from './prefixes/prefix-scorer.js';
import {
  growingItem,
  PrefixStream,
  type StreamContext,
  type StreamPiece,
  type StreamScore,
} from './prefixes/prefix-stream.js';
import { seenTokens, type Trace, tracedItem, traceOf } from './prefixes/trace.js';

export interface GuardOptions extends OpenGuardOptions, Pick<ScorerOptions, 'threads'> {
  /**
   * The model to load at the start: `scores` (default) for `score()` and `scoreBatch()`, `prefixes` for `stream()` and
   * `trace()`. Each runs in its own engine process; the other is loaded at its first use.
   */
  load?: 'scores' | 'prefixes';
}

export interface ScoreOptions {
  /** Overrides the artifact's default for this call. */
  threshold?: number;
}

export interface StreamOptions extends ScoreOptions, StreamContext {
  /** Called once with the first harmful prefix, which ends the stream. Without it the stream continues. */
  onHarmful?: (score: StreamScore) => void;
}

/** Like the reference's ScoreResult. */
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
  /** The layers read; blocks above the last are never loaded. */
  layers: number[];
  maxLength: number;
  defaultThreshold: number;
  precision: string;
  /** The device, e.g. `cpu` or `cuda:0`. */
  device: string;
  /** The device's deviation from a CPU over the checked rows; undefined for a CPU. */
  check: DeviceVerdict | undefined;
}

/**
 * A SIREN guard as a library, without server or database. Runs its own engine process until `close()`.
 *
 * @example
 * const guard = await Guard.fromPretrained('starter');
 * const { score, isHarmful } = await guard.score({ text: 'How do I bake bread?' });
 * await guard.close();
 */
export class Guard {
  readonly #open: OpenGuard;
  readonly #preparation: Preparation;
  readonly #options: GuardOptions;
  readonly #prefixes: PrefixScorer;
  #scorer: Promise<Scorer> | undefined;
  #check: DeviceVerdict | undefined;

  private constructor(open: OpenGuard, preparation: Preparation, options: GuardOptions) {
    this.#open = open;
    this.#preparation = preparation;
    this.#options = options;
    this.#prefixes = prefixScorerOf(open, options);
  }

  /**
   * Loads a guard.
   * @param ref `starter`, an artifact's directory, or its siren_config.json
   * @throws UserError for anything missing, inconsistent or unsupported
   */
  static async fromPretrained(ref: string, options: GuardOptions = {}): Promise<Guard> {
    const open = await openGuard(ref, options);
    const guard = new Guard(open, await Preparation.open(open), options);
    await (options.load === 'prefixes' ? guard.#prefixes.start() : guard.#scores());
    return guard;
  }

  get info(): GuardInfo {
    const { artifact, compiled, device, fingerprint, precision, ref } = this.#open;
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
      device: deviceName(device),
      check: this.#check,
    };
  }

  /**
   * Scores one item. A content guard takes a text, or a prompt and/or the response to it (llm-siren `SirenGuard.score`),
   * a trajectory guard messages and tools (`AgentSirenGuard.score_trajectory`).
   *
   * @example
   * await guard.score({ messages: [{ role: 'user', content: 'Book a table.' }], tools });
   */
  async score(input: Item, options: ScoreOptions = {}): Promise<ScoreResult> {
    const [result] = await this.scoreBatch([input], options);
    if (result === undefined) throw new Error('one input gave no result');
    return result;
  }

  /**
   * Scores many items, batched by cost whatever their order. Results are in the given order.
   * @throws UserError naming the first input that cannot be scored
   */
  async scoreBatch(inputs: readonly Item[], options: ScoreOptions = {}): Promise<ScoreResult[]> {
    const threshold = this.#threshold(options);
    const prepared = await this.#preparation.contentsOf(inputs);
    const contents = prepared.map((content, i) => contentAt(content, i, inputs.length));
    const scorer = await this.#scores();
    const outcomes = await scorer.score(contents.map((content) => content.tokenIds));
    return outcomes.map(({ score, error }, i) => {
      if (score === undefined) throw new Error(`input ${i} could not be scored: ${error}`);
      return { score, isHarmful: score >= threshold, threshold };
    });
  }

  /**
   * Scores an item that arrives in chunks, e.g. a model's response while it is generated. Each push returns the score of
   * everything so far, equal to scoring from scratch, for the cost of the new tokens. A trajectory arrives message by
   * message. Concurrent streams share forward passes.
   *
   * @example
   * const stream = guard.stream({ prompt, onHarmful: () => answer.cancel() });
   * for await (const { score } of stream.scores(answer)) show(score);
   * await stream.close();
   */
  stream(options: StreamOptions = {}): PrefixStream<StreamPiece> {
    const { onHarmful } = options;
    const threshold = this.#threshold(options);
    return new PrefixStream(
      this.#prefixes,
      { threshold, onHarmful },
      growingItem(this.#preparation, options),
    );
  }

  /** The score after every token of an item, from one forward pass: shows where it turns harmful. */
  async trace(input: Item, options: ScoreOptions = {}): Promise<Trace> {
    const threshold = this.#threshold(options);
    const item = await tracedItem(this.#preparation, this.#open.artifact.maxLength, input);
    const scores = await this.#prefixes.score({ tokenIds: seenTokens(item), stream: undefined });
    return traceOf(item, scores, threshold);
  }

  /** Ends the engine processes. */
  async close(): Promise<void> {
    // One that failed to start is closed, and its callers have the error.
    const scorer = await this.#scorer?.catch(() => undefined);
    await Promise.all([scorer?.close(), this.#prefixes.close()]);
  }

  #scores(): Promise<Scorer> {
    this.#scorer ??= Scorer.start(this.#open, this.#options).then(
      (scorer) => {
        this.#check = scorer.verdict;
        return scorer;
      },
      (error: unknown) => {
        this.#scorer = undefined;
        throw error;
      },
    );
    return this.#scorer;
  }

  #threshold({ threshold }: ScoreOptions): number {
    return thresholdOf(threshold ?? this.#open.artifact.defaultThreshold);
  }
}

function contentAt(content: Content | UserError, index: number, count: number): Content {
  if (!(content instanceof UserError)) return content;
  if (count === 1) throw content;
  const { message, hint } = content;
  throw new UserError(`input ${index}: ${message}`, {
    cause: content,
    hint,
  });
}

function thresholdOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new UserError(`threshold must be a number from 0 to 1, got ${String(value)}`);
}
