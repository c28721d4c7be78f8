import { ApiError, notFound } from '../http/api-error.js';
import type { Limits } from '../limits.js';
import { OpenStream, type OpenStreamOptions } from './open-stream.js';

export interface NewStreamOptions extends Omit<OpenStreamOptions, 'pieces' | 'idleSeconds' | 'onEnd'> {
  /** Called when there is room for the stream. */
  pieces: () => OpenStreamOptions['pieces'];
}

/** The streams of this process. They are in no database: whoever pushes has to reach the same process each time. */
export class Streams {
  readonly #limits: Limits;
  readonly #open = new Map<string, OpenStream>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Checks that the key may begin another one. @throws ApiError when there are too many */
  requireRoom(keyId: string | null): void {
    const { streams, streamsPerKey, streamIdleSeconds: retryAfter } = this.#limits;
    const own = [...this.#open.values()].filter((stream) => stream.keyId === keyId).length;
    if (own >= streamsPerKey) {
      throw new ApiError(429, `too many streams: ${own} of this key are open, and ${streamsPerKey} may be`, {
        hint: 'End those that are not used (DELETE /api/streams/:id); a stream that nothing is pushed to ends by itself.',
        retryAfter,
      });
    }
    if (this.#open.size >= streams) throw new ApiError(503, 'too many streams are open', { retryAfter });
  }

  /** @throws ApiError when there are too many: many may have been let in while the model was loaded */
  begin({ pieces, ...options }: NewStreamOptions): OpenStream {
    this.requireRoom(options.keyId);
    const stream: OpenStream = new OpenStream({
      ...options,
      pieces: pieces(),
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
