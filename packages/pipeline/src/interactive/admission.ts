/** Limits on pending interactive work: requested and not yet answered. */
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

/** Bounds of `Retry-After`, in seconds: not so soon that the retry is refused again, nor much longer than necessary. */
const RETRY_AFTER = { least: 1, most: 30 };
/** Milliseconds over which the throughput is measured. */
const WINDOW_MS = 10_000;

/** Too much work is pending: a retry after `retryAfter` seconds will probably be admitted. */
export class BusyError extends Error {
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number) {
    super(message);
    this.name = 'BusyError';
    this.retryAfter = retryAfter;
  }
}

/** Admitted work. It counts as pending until it is released. */
export interface Ticket {
  /**
   * Adds the work's tokens, once they are known.
   * @throws BusyError when they are too many; the caller must still release the ticket
   */
  count(tokens: number): void;
  /** @param answered whether the work was completed, rather than abandoned by its client */
  release(answered: boolean): void;
}

interface Pending {
  items: number;
  tokens: number;
}

/**
 * Bounds pending interactive work, in total and per client. A client with nothing pending is admitted whatever the size of
 * its request, so that no client is locked out. When the total is reached, a client is refused only if it would have more
 * than its fair share.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clients = new Map<string, Pending>();
  readonly #all: Pending = { items: 0, tokens: 0 };
  readonly #speed = new Speed();

  constructor(limits: Partial<AdmissionLimits> = {}) {
    this.#limits = { ...DEFAULT_ADMISSION, ...limits };
  }

  /** Pending work of all clients. */
  get pending(): Readonly<Pending> {
    return this.#all;
  }

  /**
   * Whether a client may add one item: a quick check before a request is read.
   * @throws BusyError
   */
  requireRoom(client: string): void {
    const pending = this.#clients.get(client);
    if (pending === undefined) return;
    this.#require(pending, 'items', 1);
    this.#require(pending, 'tokens', 1);
  }

  /**
   * Admits work.
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
    // Half of the pending work: after that there is room.
    const seconds = Math.ceil(tokens / 2 / this.#speed.perSecond);
    const retryAfter = Math.min(Math.max(seconds, least), most);
    return new BusyError(
      `too many interactive requests: ${what} are pending, and ${limit} may be`,
      retryAfter,
    );
  }
}

/** Throughput per second over the last ten to twenty seconds. */
class Speed {
  #since = performance.now();
  #done = 0;
  #before = 0;

  add(amount: number): void {
    this.#turn();
    this.#done += amount;
  }

  /** At least 1. */
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

/** The queue of one client, in order of arrival. */
interface Line<T> {
  things: T[];
  /** Index of its first element. */
  at: number;
}

/** A round-robin queue over clients: one element of each client in turn. Adding and taking take constant time. */
export class Turns<T> {
  /** In round-robin order. Clients without elements are not in it. */
  readonly #lines = new Map<string, Line<T>>();

  add(client: string, thing: T): void {
    const line = this.#lines.get(client);
    if (line === undefined) this.#lines.set(client, { things: [thing], at: 0 });
    else line.things.push(thing);
  }

  /** The next element, from the client whose turn it is; undefined when empty. */
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

/** Compacts the array once at least half of it is consumed: each element moves once on average. */
function shortened<T>(line: Line<T>): Line<T> {
  return line.at * 2 < line.things.length ? line : { things: line.things.slice(line.at), at: 0 };
}
