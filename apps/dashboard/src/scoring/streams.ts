import { ApiError, notFound } from '../http/api-error.js';
import type { Limits } from '../limits.js';
import { OpenStream, type OpenStreamOptions } from './open-stream.js';

/** The streams of this process. They are in no database: whoever pushes has to reach the same process each time. */
export class Streams {
  readonly #limits: Limits;
  readonly #open = new Map<string, OpenStream>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether another one may be begun. @throws ApiError when there are too many */
  requireRoom(): void {
    if (this.#open.size < this.#limits.streams) return;
    throw new ApiError(503, 'too many streams are open', { retryAfter: this.#limits.streamIdleSeconds });
  }

  begin(options: Omit<OpenStreamOptions, 'idleSeconds' | 'onEnd'>): OpenStream {
    const stream: OpenStream = new OpenStream({
      ...options,
      idleSeconds: this.#limits.streamIdleSeconds,
      onEnd: () => this.#open.delete(stream.id),
    });
    this.#open.set(stream.id, stream);
    return stream;
  }

  /** @throws ApiError when there is no such stream, or another key has made it */
  get(id: string, keyId: string | null): OpenStream {
    const stream = this.#open.get(id);
    if (stream !== undefined && stream.keyId === keyId) return stream;
    throw notFound(
      'such stream',
      'One that nothing is pushed to ends by itself. Streams live in one process.',
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((stream) => stream.end('closed')));
  }
}
