import type { FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import { ApiError } from '../http/api-error.js';

/** What becomes of wrong keys: they are counted by address, and too many are answered otherwise. */
export class WrongKeys {
  readonly #count: ReturnType<App['createRateLimit']>;

  /** The rate limit's plugin must be there. */
  constructor(app: App, perMinute: number) {
    this.#count = app.createRateLimit({
      max: perMinute,
      timeWindow: '1 minute',
      keyGenerator: ({ ip }) => `wrong key from ${ip}`,
    });
  }

  /** @throws ApiError always: 401, or 429 when the address has shown too many */
  async refuse(request: FastifyRequest): Promise<never> {
    const counted = await this.#count(request);
    if (!counted.isAllowed && counted.isExceeded) {
      throw new ApiError(429, 'too many wrong keys', { retryAfter: counted.ttlInSeconds });
    }
    throw new ApiError(401, 'the key is not known, has expired or was revoked', {
      hint: 'An administrator makes keys: on the page, or with tocsin keys create.',
    });
  }
}
