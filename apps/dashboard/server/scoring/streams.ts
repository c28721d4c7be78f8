import { randomUUID } from 'node:crypto';
import type { Stream, StreamScore } from '@tocsin/contract';
import type { PrefixStream, StreamPiece } from '@tocsin/engine';
import { ApiError, notFound } from '../http/api-error.js';
import { EventHub } from '../http/event-hub.js';
import type { Limits } from '../limits.js';
import type { PrefixGate, PrefixWork } from './prefix-gate.js';

export interface NewStreamOptions extends Omit<OpenStreamOptions, 'pieces' | 'idleSeconds' | 'onEnd'> {
  /** Called when the stream may be opened. */
  pieces: () => OpenStreamOptions['pieces'];
}

/** The streams of this process. They are not stored: all pushes of a stream must reach the same process. */
export class Streams {
  readonly #limits: Limits;
  readonly #open = new Map<string, OpenStream>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Checks that the key may open another stream. @throws ApiError when it has too many */
  requireRoom(keyId: string | null): void {
    const { streams, streamsPerKey, streamIdleSeconds: retryAfter } = this.#limits;
    const own = [...this.#open.values()].filter((stream) => stream.keyId === keyId).length;
    if (own >= streamsPerKey) {
      throw new ApiError(429, `too many streams: ${own} of this key are open, and ${streamsPerKey} may be`, {
        hint: 'End unused streams (DELETE /api/streams/:id); idle ones end automatically.',
        retryAfter,
      });
    }
    if (this.#open.size >= streams) throw new ApiError(503, 'too many streams are open', { retryAfter });
  }

  /** @throws ApiError when there are too many: others may have been opened while the model loaded */
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

  /** @throws ApiError when the stream does not exist or belongs to another key */
  get(id: string, keyId: string | null): OpenStream {
    const stream = this.#open.get(id);
    if (stream !== undefined && stream.keyId === keyId) return stream;
    throw notFound('such stream', 'Idle streams end automatically, and a stream exists in one process only.');
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((stream) => stream.end('closed')));
  }
}

/** Maximum characters of all pieces together: each push tokenizes the whole text again. */
const MAX_CHARACTERS = 1_000_000;

export interface OpenStreamOptions {
  pieces: PrefixStream<StreamPiece>;
  /** Admission of its pushes. */
  gate: PrefixGate;
  judged: Pick<Stream, 'guard' | 'threshold' | 'policy'>;
  /** The key that opened it; null without keys. */
  keyId: string | null;
  idleSeconds: number;
  /** Called once, when it ends. */
  onEnd: () => void;
}

/** A stream of pieces from one client; any number of connections listen to its scores. */
export class OpenStream {
  readonly id = randomUUID();
  readonly keyId: string | null;
  readonly events = new EventHub();
  readonly #options: OpenStreamOptions;
  #pushes = 0;
  #characters = 0;
  #idle: NodeJS.Timeout;
  #over = false;

  constructor(options: OpenStreamOptions) {
    this.#options = options;
    this.keyId = options.keyId;
    this.#idle = this.#endWhenIdle();
  }

  get answer(): Stream {
    const { judged, idleSeconds } = this.#options;
    return { id: this.id, ...judged, idleSeconds };
  }

  /** Appends a piece. @returns the score of the whole text so far */
  async push(piece: StreamPiece, from: Pick<PrefixWork, 'client' | 'signal'>): Promise<StreamScore> {
    const characters = lengthOf(piece);
    if (this.#characters + characters > MAX_CHARACTERS) {
      throw new ApiError(413, `a stream accepts at most ${MAX_CHARACTERS} characters`, {
        hint: 'Score a longer item as a text: the guard reads only its beginning.',
      });
    }
    clearTimeout(this.#idle);
    try {
      const { score, isHarmful, threshold, tokens, truncated } = await this.#options.gate.run(
        { ...from, characters },
        () => {
          this.#characters += characters;
          return this.#options.pieces.push(piece);
        },
      );
      this.#pushes += 1;
      const answer = { push: this.#pushes, score, harmful: isHarmful, threshold, tokens, truncated };
      this.events.send('score', answer);
      return answer;
    } finally {
      if (!this.#over) {
        clearTimeout(this.#idle);
        this.#idle = this.#endWhenIdle();
      }
    }
  }

  /** @param reason sent to listeners */
  async end(reason: 'deleted' | 'idle' | 'closed'): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#idle);
    this.#options.onEnd();
    this.events.send('end', { reason });
    this.events.end();
    await this.#options.pieces.close();
  }

  #endWhenIdle(): NodeJS.Timeout {
    return setTimeout(() => void this.end('idle'), this.#options.idleSeconds * 1000);
  }
}

function lengthOf(piece: StreamPiece): number {
  return typeof piece === 'string' ? piece.length : JSON.stringify(piece).length;
}
