import { type Admission, Turns } from '@tocsin/pipeline';

/** Tokens of traces and pushes in the engine process at once: about two forward passes. */
const TOKENS_AT_ONCE = 2_048;
/** Real text has at least 3 characters per token. */
const CHARACTERS_PER_TOKEN = 3;

/** A trace or stream push before its forward pass. */
interface Waiting {
  tokens: number;
  left: boolean;
  enter(): void;
}

export interface PrefixWork {
  /** The client. */
  client: string;
  /** Characters, for an estimate of the tokens. */
  characters: number;
  /** Ends the wait with its reason; a forward pass that has started continues. */
  signal: AbortSignal;
}

/**
 * Queues traces and stream pushes for the engine process of this server. Pending ones count toward the same limits as single
 * scores, clients take turns, and aborted ones never reach the engine.
 */
export class PrefixGate {
  readonly #admission: Admission;
  readonly #maxTokens: number;
  readonly #waiting = new Turns<Waiting>();
  #tokens = 0;

  /** @param maxTokens input limit of the guard */
  constructor(admission: Admission, maxTokens: number) {
    this.#admission = admission;
    this.#maxTokens = maxTokens;
  }

  /** @throws BusyError when too much is pending; the signal's reason when aborted */
  async run<T>({ client, characters, signal }: PrefixWork, work: () => Promise<T>): Promise<T> {
    const tokens = Math.min(this.#maxTokens, Math.ceil(characters / CHARACTERS_PER_TOKEN) + 1);
    const ticket = this.#admission.admit(client, 1);
    let answered = false;
    try {
      ticket.count(tokens);
      await this.#enter(client, tokens, signal);
      try {
        const result = await work();
        answered = true;
        return result;
      } finally {
        this.#tokens -= tokens;
        this.#admit();
      }
    } finally {
      ticket.release(answered);
    }
  }

  #enter(client: string, tokens: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.left = true;
        reject(signal.reason);
      };
      const waiting: Waiting = {
        tokens,
        left: false,
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(client, waiting);
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#tokens < TOKENS_AT_ONCE) {
      const next = this.#waiting.take();
      if (next === undefined) return;
      if (next.left) continue;
      this.#tokens += next.tokens;
      next.enter();
    }
  }
}
