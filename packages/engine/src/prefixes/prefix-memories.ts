import { PrefixMemory, type TokenWidths } from './prefix-memory.js';

/**
 * The memories of many streams, as many as fit. The one that has not been used for the longest time goes first: its
 * stream then costs its whole prefix once more, and gives the same scores.
 */
export class PrefixMemories {
  readonly #widths: TokenWidths;
  readonly #limitBytes: number;
  /** In the order of use, the latest last. */
  readonly #byStream = new Map<number, PrefixMemory>();

  constructor(widths: TokenWidths, limitBytes: number) {
    this.#widths = widths;
    this.#limitBytes = limitBytes;
  }

  /** The memory of a stream; an empty one when it has none. Without a stream: one that nobody keeps. */
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

  /** Frees the memories that are too many. None of them may be in use. */
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
