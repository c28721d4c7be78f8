import { randomUUID } from 'node:crypto';
import type { Stream, StreamScore } from '@tocsin/contract';
import type { PrefixStream, StreamPiece } from '@tocsin/engine';
import { ApiError } from '../http/api-error.js';
import { EventHub } from '../http/event-hub.js';
import type { PrefixGate, PrefixWork } from './prefix-gate.js';

/** Characters of all pieces together: each push prepares the whole again. */
const MAX_CHARACTERS = 1_000_000;

export interface OpenStreamOptions {
  pieces: PrefixStream<StreamPiece>;
  /** Pushes go through it. */
  gate: PrefixGate;
  judged: Pick<Stream, 'guard' | 'threshold' | 'policy'>;
  /** Who has made it; null without keys. */
  keyId: string | null;
  idleSeconds: number;
  /** Told once, when it is over. */
  onEnd: () => void;
}

/** A stream that somebody pushes pieces into, and that any number of connections hear the scores of. */
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

  /** Adds a piece. @returns the score of all so far */
  async push(piece: StreamPiece, from: Pick<PrefixWork, 'client' | 'signal'>): Promise<StreamScore> {
    const characters = lengthOf(piece);
    if (this.#characters + characters > MAX_CHARACTERS) {
      throw new ApiError(413, `a stream takes ${MAX_CHARACTERS} characters`, {
        hint: 'Score what is longer as a text: the guard sees only its beginning.',
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

  /** @param reason told to who listens */
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
