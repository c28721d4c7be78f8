/** What a row's tokens leave behind for those that come after them: an array per kind, token after token. */
export interface Remembered {
  tokenIds: Int32Array;
  /** P(harmful) of the prefix that ends with the token. */
  scores: Float32Array;
  /** The selected neurons' mean over that prefix; none for a trajectory guard. */
  means: Float32Array;
  /** Of each block. */
  keys: Float32Array[];
  values: Float32Array[];
}

/** Numbers a token takes in each array. */
export interface TokenWidths {
  means: number;
  keys: number;
  layers: number;
}

/** A row's memory. It grows as tokens are added and forgets what comes after a change. */
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

  /** How many of `tokenIds`, from the first on, are the ones that are remembered. */
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

  /** What is remembered of the first `length` tokens. Shares the memory: valid until the next `append`. */
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
    // Room for twice as many: a stream of small chunks is then copied a few times, not once a chunk.
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
