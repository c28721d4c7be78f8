interface Entrant {
  alone: boolean;
  enter(): void;
}

/** A fair read-write lock: shared holders run concurrently, an exclusive one alone, in order of arrival. */
export class LoneGate {
  readonly #waiting: Entrant[] = [];
  #inside = 0;
  #taken = false;

  /** @param signal ends the wait for the lock, with its reason; work that has started continues */
  beside<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#pass(false, work, signal);
  }

  /** Like `shared`, with no other work running. */
  alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#pass(true, work, signal);
  }

  async #pass<T>(alone: boolean, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(alone, signal);
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#taken = false;
      this.#admit();
    }
  }

  #enter(alone: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entrant), 1);
        reject(signal.reason);
        this.#admit();
      };
      const entrant: Entrant = {
        alone,
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(entrant);
      if (signal.aborted) leave();
      else {
        signal.addEventListener('abort', leave, { once: true });
        this.#admit();
      }
    });
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#taken || (next.alone && this.#inside > 0)) return;
      this.#waiting.shift();
      this.#inside++;
      this.#taken = next.alone;
      next.enter();
    }
  }
}
