import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.js';

const MINUTE = 60_000;
const MAX_ADDRESSES = 10_000;

/** Wrong keys, counted by address and minute. */
export class WrongKeys {
  readonly #perMinute: number;
  readonly #counts = new Map<string, { wrong: number; until: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Whether an address has shown so many wrong keys that it gets no more quick look-ups. */
  isOver({ ip }: FastifyRequest): boolean {
    return this.#countOf(ip).wrong > this.#perMinute;
  }

  /** @throws ApiError always: 401, or 429 when the address has shown too many */
  refuse({ ip }: FastifyRequest): never {
    const count = this.#countOf(ip);
    count.wrong += 1;
    this.#counts.delete(ip);
    this.#counts.set(ip, count);
    for (const [oldest] of this.#counts) {
      if (this.#counts.size <= MAX_ADDRESSES) break;
      this.#counts.delete(oldest);
    }
    if (count.wrong > this.#perMinute) {
      const retryAfter = Math.max(1, Math.ceil((count.until - Date.now()) / 1000));
      throw new ApiError(429, 'too many wrong keys', { retryAfter });
    }
    throw new ApiError(401, 'the key is not known, has expired or was revoked', {
      hint: 'An administrator makes keys: on the page, or with tocsin keys create.',
    });
  }

  #countOf(ip: string): { wrong: number; until: number } {
    const count = this.#counts.get(ip);
    return count !== undefined && count.until > Date.now() ? count : { wrong: 0, until: Date.now() + MINUTE };
  }
}
