interface Waiter {
  exclusive: boolean;
  grant(): void;
}

/** A fair read-write lock: shared holders run concurrently, an exclusive one alone, in order of arrival. */
export class ExclusiveLock {
  readonly #waiting: Waiter[] = [];
  #holders = 0;
  #exclusive = false;

  /** @param signal ends the wait for the lock, with its reason; work that has started continues */
  shared<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#hold(false, work, signal);
  }

  /** Like `shared`, while no other work runs. */
  exclusive<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#hold(true, work, signal);
  }

  async #hold<T>(exclusive: boolean, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#acquire(exclusive, signal);
    try {
      return await work();
    } finally {
      this.#holders--;
      this.#exclusive = false;
      this.#grant();
    }
  }

  #acquire(exclusive: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
        this.#grant();
      };
      const waiter: Waiter = {
        exclusive,
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      if (signal.aborted) leave();
      else {
        signal.addEventListener('abort', leave, { once: true });
        this.#grant();
      }
    });
  }

  #grant(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#exclusive || (next.exclusive && this.#holders > 0)) return;
      this.#waiting.shift();
      this.#holders++;
      this.#exclusive = next.exclusive;
      next.grant();
    }
  }
}
