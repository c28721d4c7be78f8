import { messageOf, within } from '@tocsin/core';

/** Checks one thing that a process needs. @throws with the reason when it is unavailable */
export type Check = () => Promise<void>;

const KEPT_MS = 1_000;
const LONGEST_MS = 2_000;

/** Whether a process can take work, and if not, why. */
export class Readiness {
  readonly #checks = new Map<string, Check>();
  readonly #notYet = new Map<string, string>();
  #answer: Promise<Record<string, string>> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** Adds a check that runs when readiness is read, at most once a second. */
  check(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** Not ready until `clear(name)`. */
  hold(name: string, reason: string): void {
    this.#notYet.set(name, reason);
  }

  clear(name: string): void {
    this.#notYet.delete(name);
  }

  /** @returns the reasons for not being ready, by check; empty when ready */
  async reasons(): Promise<Record<string, string>> {
    const now = performance.now();
    if (this.#answer === undefined || now - this.#askedAt >= KEPT_MS) {
      this.#askedAt = now;
      this.#answer = this.#look();
    }
    return { ...(await this.#answer), ...Object.fromEntries(this.#notYet) };
  }

  async #look(): Promise<Record<string, string>> {
    const looked = await Promise.all(
      [...this.#checks].map(async ([name, check]): Promise<[string, string][]> => {
        try {
          await within(LONGEST_MS, check());
          return [];
        } catch (error) {
          return [[name, messageOf(error)]];
        }
      }),
    );
    return Object.fromEntries(looked.flat());
  }
}

/** Metrics are served only to this machine by default. */
export const DEFAULT_METRICS_HOST = '127.0.0.1';

/** Address of the metrics server. */
export interface ListenAt {
  /** 0 picks a free port. */
  port: number;
  /** Default DEFAULT_METRICS_HOST. */
  host?: string;
}
