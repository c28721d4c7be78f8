import { messageOf, within } from '@tocsin/core';

/** Looks at one thing that a process needs. @throws when it is not there, saying why */
export type Check = () => Promise<void>;

const KEPT_MS = 1_000;
const LONGEST_MS = 2_000;

/** Whether a process can take work, and why not. */
export class Readiness {
  readonly #checks = new Map<string, Check>();
  readonly #notYet = new Map<string, string>();
  #answer: Promise<Record<string, string>> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** Something to look at whenever somebody asks. A server that is asked often is looked at once a second. */
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

  /** @returns what stands in the way, by name; empty when nothing does */
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

/** What a process says is nobody else's business until you say so. */
export const DEFAULT_METRICS_HOST = '127.0.0.1';

/** Where a process answers. */
export interface ListenAt {
  /** 0 takes any that is free. */
  port: number;
  /** Default DEFAULT_METRICS_HOST. */
  host?: string;
}
