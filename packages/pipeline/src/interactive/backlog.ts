import { BusyError } from './admission.js';

/** With fewer tokens pending, workers wait for requests, and what they score per second is not what they can. */
const SATURATED_TOKENS = 2_048;
/** The speed is unknown until workers were saturated for this long. */
const MEASURED_MS = 3_000;
/** Of the speed: the last 10 to 20 saturated seconds. */
const WINDOW_MS = 10_000;
/** A request is admitted if its estimated wait is at most this share of its time limit: the speed varies. */
const ADMITTED_SHARE = 0.8;
const REVIEW_EVERY_MS = 1_000;
const RETRY_AFTER = { least: 1, most: 30 };

/** A request between its admission and its last answer. */
export interface PendingRequest {
  /** Counts tokens that are no longer pending. @param scored whether a forward pass was made for them */
  answered(tokens: number, scored: boolean): void;
  /** Everything else of the request is no longer pending. */
  leave(): void;
}

interface Waiting {
  tokens: number;
  /** Milliseconds of the clock. */
  deadline: number;
  refuse: (error: BusyError) => void;
}

interface Client {
  tokens: number;
  /** In the order in which they came. */
  requests: Set<Waiting>;
}

/**
 * Refuses requests of one guard that its workers cannot answer in time, by the speed at which they answer. Clients take
 * turns, so a client waits for its own earlier tokens and for as many of every other client.
 *
 * A client's oldest request is never refused: no client is refused forever. While the speed is unknown, none is.
 */
export class Backlog {
  readonly #now: () => number;
  readonly #clients = new Map<string, Client>();
  readonly #speed = new SaturatedSpeed();
  #tokens = 0;
  #reviewed = 0;

  /** @param now a clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param timeoutMs after which the request gives up
   * @param refuse called at most once, if it turns out later that the request cannot be answered in time
   * @throws BusyError if that is known at once
   */
  enter(
    client: string,
    tokens: number,
    timeoutMs: number,
    refuse: (error: BusyError) => void,
  ): PendingRequest {
    const now = this.#now();
    const entry = this.#clients.get(client) ?? { tokens: 0, requests: new Set() };
    const speed = this.#speed.perSecond(now);
    if (entry.requests.size > 0 && speed !== undefined) {
      const ahead = tokensBefore(entry.tokens + tokens, this.#pending(entry)) + entry.tokens + tokens;
      if ((ahead / speed) * 1000 > ADMITTED_SHARE * timeoutMs) throw busy(ahead, speed, timeoutMs);
    }
    const waiting: Waiting = { tokens: 0, deadline: now + timeoutMs, refuse };
    this.#clients.set(client, entry);
    entry.requests.add(waiting);
    this.#add(entry, waiting, tokens);
    return {
      answered: (some, scored) => {
        if (!entry.requests.has(waiting)) return;
        if (scored) this.#speed.add(this.#now(), some);
        this.#add(entry, waiting, -Math.min(some, waiting.tokens));
        this.#review();
      },
      leave: () => this.#remove(client, entry, waiting),
    };
  }

  /** Tokens of each client, except one. */
  #pending(except?: Client): number[] {
    return [...this.#clients.values()].filter((client) => client !== except).map(({ tokens }) => tokens);
  }

  #add(client: Client, request: Waiting, tokens: number): void {
    request.tokens += tokens;
    client.tokens += tokens;
    this.#tokens += tokens;
    this.#speed.watch(this.#now(), this.#tokens >= SATURATED_TOKENS);
  }

  #remove(name: string, client: Client, request: Waiting): void {
    if (!client.requests.delete(request)) return;
    this.#add(client, request, -request.tokens);
    if (client.requests.size === 0 && this.#clients.get(name) === client) this.#clients.delete(name);
  }

  /** Refuses requests that were admitted before the speed was known, or when it was higher. */
  #review(): void {
    const now = this.#now();
    const speed = this.#speed.perSecond(now);
    if (speed === undefined || now < this.#reviewed + REVIEW_EVERY_MS) return;
    this.#reviewed = now;
    for (const [name, client] of this.#clients) {
      const others = this.#pending(client);
      const [oldest] = client.requests;
      let own = 0;
      for (const request of [...client.requests]) {
        own += request.tokens;
        const ahead = own + tokensBefore(own, others);
        if (request === oldest || now + (ahead / speed) * 1000 <= request.deadline) continue;
        own -= request.tokens;
        this.#remove(name, client, request);
        request.refuse(busy(ahead, speed, request.deadline - now));
      }
    }
  }
}

/** Tokens of other clients that are scored before a client's first `own`. */
function tokensBefore(own: number, others: readonly number[]): number {
  return others.reduce((sum, tokens) => sum + Math.min(tokens, own), 0);
}

function busy(tokens: number, speed: number, leftMs: number): BusyError {
  const wait = Math.ceil(tokens / speed);
  const left = Math.floor(leftMs / 1000);
  const { least, most } = RETRY_AFTER;
  const retryAfter = Math.min(Math.max(Math.ceil(wait - ADMITTED_SHARE * left), least), most);
  return new BusyError(
    `too many interactive requests: this one would take about ${wait} s (${tokens} tokens at ${Math.round(speed)} tokens/s), and it may take ${left} s`,
    retryAfter,
  );
}

interface Span {
  ms: number;
  tokens: number;
}

/**
 * How many tokens are scored per second while workers are saturated, from one answer to the next: the time before the first
 * answer, or while workers are stopped, says nothing about their speed.
 */
class SaturatedSpeed {
  #current: Span = { ms: 0, tokens: 0 };
  #before: Span = { ms: 0, tokens: 0 };
  #isSaturated = false;
  /** When the time was last counted; undefined until an answer comes while workers are saturated. */
  #since: number | undefined;
  #lastAnswer = 0;

  /** Tells whether workers are saturated from now on. */
  watch(now: number, saturated: boolean): void {
    this.#count(now);
    this.#isSaturated = saturated;
    if (!saturated) this.#since = undefined;
  }

  add(now: number, tokens: number): void {
    if (!this.#isSaturated) return;
    if (this.#since === undefined || now - this.#lastAnswer > WINDOW_MS) {
      if (this.#since !== undefined)
        [this.#current, this.#before] = [
          { ms: 0, tokens: 0 },
          { ms: 0, tokens: 0 },
        ];
      this.#since = now;
    } else this.#current.tokens += tokens;
    this.#lastAnswer = now;
  }

  /** Undefined while it is unknown, and when nothing is scored. */
  perSecond(now: number): number | undefined {
    this.#count(now);
    const ms = this.#current.ms + this.#before.ms;
    const tokens = this.#current.tokens + this.#before.tokens;
    return ms < MEASURED_MS || tokens === 0 ? undefined : (tokens / ms) * 1000;
  }

  #count(now: number): void {
    if (this.#since === undefined) return;
    this.#current.ms += now - this.#since;
    this.#since = now;
    if (this.#current.ms < WINDOW_MS) return;
    this.#before = this.#current;
    this.#current = { ms: 0, tokens: 0 };
  }
}
