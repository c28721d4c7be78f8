import { bytesText } from '../bytes-text.js';
import type { ModelEvent } from '../sources.js';

/** The least time between two events of the same file (ms): a chunk is much less than what a person can follow. */
const EVENT_EVERY_MS = 100;

/** How far the files of one download are, told as events. */
export class Transfer {
  readonly #tell: (event: ModelEvent) => void;
  readonly #label: string;
  readonly #bytesOf = new Map<string, number>();
  readonly #total: number;
  #last = 0;

  constructor(
    tell: (event: ModelEvent) => void,
    label: string,
    files: readonly { path: string; size: number }[],
  ) {
    this.#tell = tell;
    this.#label = label;
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path } of files) this.#bytesOf.set(path, 0);
  }

  start(): void {
    const files = this.#bytesOf.size;
    const what = files === 1 ? [...this.#bytesOf.keys()].join('') : `${files} files`;
    this.#tell({
      step: 'fetch',
      message: `Fetching ${this.#label}: ${what}, ${bytesText(this.#total)}`,
    });
  }

  /** @param bytes of this file that are here */
  move(file: string, bytes: number): void {
    this.#bytesOf.set(file, bytes);
    const done = [...this.#bytesOf.values()].reduce((sum, value) => sum + value, 0);
    const now = performance.now();
    if (now - this.#last < EVENT_EVERY_MS && done < this.#total) return;
    this.#last = now;
    this.#tell({
      step: 'bytes',
      message: `${this.#label}: ${bytesText(done)} of ${bytesText(this.#total)} (${file})`,
      bytes: { label: this.#label, file, done, total: this.#total },
    });
  }
}
