/** Interactive work that may be pending: asked for, and not yet answered. */
export interface AdmissionLimits {
  /** Items of all clients. */
  items: number;
  /** Tokens of all clients. */
  tokens: number;
  /** Items of one client. */
  clientItems: number;
  /** Tokens of one client. */
  clientTokens: number;
}

export const DEFAULT_ADMISSION: AdmissionLimits = {
  items: 16_384,
  tokens: 262_144,
  clientItems: 2_048,
  clientTokens: 65_536,
};

/** A client that is told when to come back should not have to ask again at once, nor wait much longer than it must. */
const RETRY_AFTER = { least: 1, most: 30 };
/** How long the speed at which work is answered is measured. */
const WINDOW_MS = 10_000;

/** Too much is pending to take more: a client that waits for `retryAfter` seconds may well be let in. */
export class BusyError extends Error {
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number) {
    super(message);
    this.name = 'BusyError';
    this.retryAfter = retryAfter;
  }
}

/** Work that was let in. It counts as pending until it is released. */
export interface Ticket {
  /**
   * Counts the work's tokens, once they are known.
   * @throws BusyError when they are too many; the ticket stays the caller's to release
   */
  count(tokens: number): void;
  /** @param answered whether the work was done, or its client has left */
  release(answered: boolean): void;
}

interface Pending {
  items: number;
  tokens: number;
}

/**
 * Bounds the interactive work that is pending, in all and for each client. A client with nothing pending is let in
 * whatever one request of it holds; so no client is refused for ever. When the bounds for all are reached, a client is
 * refused only if it would have more than its share of them.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clients = new Map<string, Pending>();
  readonly #all: Pending = { items: 0, tokens: 0 };
  readonly #speed = new Speed();

  constructor(limits: Partial<AdmissionLimits> = {}) {
    this.#limits = { ...DEFAULT_ADMISSION, ...limits };
  }

  /** What is pending of all clients. */
  get pending(): Readonly<Pending> {
    return this.#all;
  }

  /**
   * Whether a client may ask for one item more: a quick look before a request is read.
   * @throws BusyError
   */
  requireRoom(client: string): void {
    const pending = this.#clients.get(client);
    if (pending === undefined) return;
    this.#require(pending, 'items', 1);
    this.#require(pending, 'tokens', 1);
  }

  /**
   * Lets work in.
   * @param client the client's id
   * @throws BusyError
   */
  admit(client: string, items: number): Ticket {
    const pending = this.#clients.get(client) ?? { items: 0, tokens: 0 };
    this.#require(pending, 'items', items);
    this.#clients.set(client, pending);
    let counted = 0;
    let released = false;
    this.#add(pending, items, 0);
    return {
      count: (tokens) => {
        this.#require(pending, 'tokens', tokens);
        counted += tokens;
        this.#add(pending, 0, tokens);
      },
      release: (answered) => {
        if (released) return;
        released = true;
        if (answered) this.#speed.add(counted);
        this.#add(pending, -items, -counted);
        if (pending.items === 0 && this.#clients.get(client) === pending) this.#clients.delete(client);
      },
    };
  }

  #add(pending: Pending, items: number, tokens: number): void {
    for (const each of [pending, this.#all]) {
      each.items += items;
      each.tokens += tokens;
    }
  }

  #require(pending: Pending, what: keyof Pending, more: number): void {
    const { items, tokens, clientItems, clientTokens } = this.#limits;
    const [ofAll, ofClient] = what === 'items' ? [items, clientItems] : [tokens, clientTokens];
    if (pending[what] === 0) return;
    const wanted = pending[what] + more;
    if (wanted > ofClient) throw this.#busy(`${pending[what]} ${what} of this key`, ofClient, pending);
    const share = ofAll / Math.max(1, this.#clients.size);
    if (this.#all[what] + more > ofAll && wanted > share)
      throw this.#busy(`${this.#all[what]} ${what}`, ofAll, this.#all);
  }

  #busy(what: string, limit: number, { tokens }: Pending): BusyError {
    const { least, most } = RETRY_AFTER;
    // Half of what is pending: then there is room.
    const seconds = Math.ceil(tokens / 2 / this.#speed.perSecond);
    const retryAfter = Math.min(Math.max(seconds, least), most);
    return new BusyError(
      `too many interactive requests: ${what} are pending, and ${limit} may be`,
      retryAfter,
    );
  }
}

/** How much is done a second, over the last ten to twenty seconds. */
class Speed {
  #since = performance.now();
  #done = 0;
  #before = 0;

  add(amount: number): void {
    this.#turn();
    this.#done += amount;
  }

  /** 1 at least. */
  get perSecond(): number {
    this.#turn();
    const seconds = (performance.now() - this.#since + WINDOW_MS) / 1000;
    return Math.max(1, (this.#done + this.#before) / seconds);
  }

  #turn(): void {
    const elapsed = performance.now() - this.#since;
    if (elapsed < WINDOW_MS) return;
    this.#before = elapsed < 2 * WINDOW_MS ? this.#done : 0;
    this.#done = 0;
    this.#since = performance.now();
  }
}

/** What waits of one client: taken from the front, in the order in which it came. */
interface Line<T> {
  things: T[];
  /** Where its front is. */
  at: number;
}

/** Things of many clients, taken in turns: one of each client, then the next of each. Adding and taking cost the same however many wait. */
export class Turns<T> {
  /** In the order of their turns. Clients without a thing have no line. */
  readonly #lines = new Map<string, Line<T>>();

  add(client: string, thing: T): void {
    const line = this.#lines.get(client);
    if (line === undefined) this.#lines.set(client, { things: [thing], at: 0 });
    else line.things.push(thing);
  }

  /** The next thing, of whichever client's turn it is; undefined when nothing waits. */
  take(): T | undefined {
    const [next] = this.#lines;
    if (next === undefined) return undefined;
    const [client, line] = next;
    const thing = line.things[line.at++];
    // To the end of the round.
    this.#lines.delete(client);
    if (line.at < line.things.length) this.#lines.set(client, shortened(line));
    return thing;
  }
}

/** Moves what is left to the front of the array once that is at most half of it: so each thing is moved once on average. */
function shortened<T>(line: Line<T>): Line<T> {
  return line.at * 2 < line.things.length ? line : { things: line.things.slice(line.at), at: 0 };
}
