import { bytesText } from '../cache/bytes-text.js';
import type { Hub } from './hub.js';

/** The least time between two tellings (ms): a chunk is much less than what a person can follow. */
const TELL_EVERY_MS = 100;

/** How far the files of one download are. */
export class Transfer {
  readonly #hub: Hub;
  readonly #label: string;
  readonly #bytesOf = new Map<string, number>();
  readonly #total: number;
  #toldAt = 0;
  #told = -1;

  constructor(hub: Hub, label: string, files: readonly { path: string; size: number }[]) {
    this.#hub = hub;
    this.#label = label;
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path } of files) this.#bytesOf.set(path, 0);
  }

  start(): void {
    const files = this.#bytesOf.size;
    const what = files === 1 ? [...this.#bytesOf.keys()].join('') : `${files} files`;
    this.#hub.tell({
      step: 'fetch',
      message: `Fetching ${this.#label}: ${what}, ${bytesText(this.#total)}`,
    });
  }

  /** @param bytes of this file that are here */
  move(file: string, bytes: number): void {
    this.#bytesOf.set(file, bytes);
    const done = [...this.#bytesOf.values()].reduce((sum, value) => sum + value, 0);
    const now = performance.now();
    if (done === this.#told || (now - this.#toldAt < TELL_EVERY_MS && done < this.#total)) return;
    this.#toldAt = now;
    this.#told = done;
    this.#hub.tellBytes({ label: this.#label, file, done, total: this.#total });
  }
}
