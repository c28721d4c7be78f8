/** The state of a row's tokens for later ones: one array per kind, token after token. */
export interface Remembered {
  tokenIds: Int32Array;
  /** P(harmful) of the prefix that ends with the token. */
  scores: Float32Array;
  /** The selected neurons' mean over that prefix; empty for a trajectory guard. */
  means: Float32Array;
  /** Of each block. */
  keys: Float32Array[];
  values: Float32Array[];
}

/** Numbers per token in each array. */
export interface TokenWidths {
  means: number;
  keys: number;
  layers: number;
}

/** A row's memory. Grows with its tokens and forgets everything after a change. */
export class PrefixMemory {
  readonly #widths: TokenWidths;
  #length = 0;
  #capacity = 0;
  #arrays: Remembered;

  constructor(widths: TokenWidths) {
    this.#widths = widths;
    this.#arrays = empty(widths, 0);
  }

  /** Tokens that are remembered. */
  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    const { means, keys, layers } = this.#widths;
    return this.#capacity * 4 * (2 + means + 2 * layers * keys);
  }

  /** The length of the prefix of `tokenIds` that is remembered. */
  sharedWith(tokenIds: Int32Array): number {
    const most = Math.min(this.#length, tokenIds.length);
    let shared = 0;
    while (shared < most && this.#arrays.tokenIds[shared] === tokenIds[shared]) shared++;
    return shared;
  }

  /** Forgets all tokens from `length` on. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Remembers more tokens. */
  append(more: Remembered): void {
    const length = this.#length + more.tokenIds.length;
    if (length > this.#capacity) this.#grow(length);
    const { means, keys } = this.#widths;
    const at = this.#length;
    const into = this.#arrays;
    into.tokenIds.set(more.tokenIds, at);
    into.scores.set(more.scores, at);
    into.means.set(more.means, at * means);
    for (const [layer, array] of more.keys.entries()) into.keys[layer]?.set(array, at * keys);
    for (const [layer, array] of more.values.entries()) into.values[layer]?.set(array, at * keys);
    this.#length = length;
  }

  /** The state of the first `length` tokens. Shares memory: valid until the next `append`. */
  first(length: number): Remembered {
    const { means, keys } = this.#widths;
    const { tokenIds, scores, ...of } = this.#arrays;
    return {
      tokenIds: tokenIds.subarray(0, length),
      scores: scores.subarray(0, length),
      means: of.means.subarray(0, length * means),
      keys: of.keys.map((array) => array.subarray(0, length * keys)),
      values: of.values.map((array) => array.subarray(0, length * keys)),
    };
  }

  #grow(length: number): void {
    const before = this.first(this.#length);
    // Doubling copies a stream of small chunks a few times, not once per chunk.
    this.#capacity = Math.max(length, 2 * this.#capacity);
    this.#arrays = empty(this.#widths, this.#capacity);
    this.#length = 0;
    this.append(before);
  }
}

function empty({ means, keys, layers }: TokenWidths, tokens: number): Remembered {
  const perLayer = (): Float32Array[] =>
    Array.from({ length: layers }, () => new Float32Array(tokens * keys));
  return {
    tokenIds: new Int32Array(tokens),
    scores: new Float32Array(tokens),
    means: new Float32Array(tokens * means),
    keys: perLayer(),
    values: perLayer(),
  };
}

/**
 * The memories of many streams, as many as fit. The least recently used is evicted: its stream then recomputes its whole
 * prefix, with the same scores.
 */
export class PrefixMemories {
  readonly #widths: TokenWidths;
  readonly #limitBytes: number;
  /** In order of use, the latest last. */
  readonly #byStream = new Map<number, PrefixMemory>();

  constructor(widths: TokenWidths, limitBytes: number) {
    this.#widths = widths;
    this.#limitBytes = limitBytes;
  }

  /** The memory of a stream, empty at first. Without a stream, a temporary one. */
  of(stream: number | undefined): PrefixMemory {
    const memory =
      (stream === undefined ? undefined : this.#byStream.get(stream)) ?? new PrefixMemory(this.#widths);
    if (stream !== undefined) {
      this.#byStream.delete(stream);
      this.#byStream.set(stream, memory);
    }
    return memory;
  }

  forget(stream: number): void {
    this.#byStream.delete(stream);
  }

  /** Evicts memories beyond the limit. None may be in use. */
  shrink(): void {
    let bytes = 0;
    for (const memory of this.#byStream.values()) bytes += memory.bytes;
    for (const [stream, memory] of this.#byStream) {
      if (bytes <= this.#limitBytes) return;
      bytes -= memory.bytes;
      this.#byStream.delete(stream);
    }
  }
}
