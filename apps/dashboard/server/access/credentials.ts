import { createHash } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import { anyKey, checkKeys, checkSessions, type KeyRow } from '@tocsin/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.js';

const SECOND = 1_000;
/** Milliseconds for which a valid secret is cached, and so the longest that a key revoked elsewhere still works. */
const TRUSTED_MS = SECOND;
/**
 * Milliseconds for which an invalid secret is cached. Secrets are random, so a new key never equals one tried before.
 */
const DISTRUSTED_MS = 60 * SECOND;
/** Milliseconds between two queries of one lane. */
const QUERY_EVERY_MS = { normal: 25, slow: SECOND } as const;
const QUERIED_AT_ONCE = 1_000;
const MAX_WAITING = 5_000;
const MAX_KNOWN = 10_000;

/** `slow` is for clients that have sent many wrong secrets. */
type Lane = keyof typeof QUERY_EVERY_MS;

interface Waiting {
  secret: string;
  settle: ((row: KeyRow | undefined) => void)[];
  fail: ((error: unknown) => void)[];
}

/** Verifies the keys and sessions of requests. */
export class Credentials {
  readonly keys: Secrets;
  readonly sessions: Secrets;

  constructor(pool: Pool) {
    this.keys = new Secrets((some) => checkKeys(pool, some), /^tcs_[\w-]{43}$/);
    this.sessions = new Secrets((some) => checkSessions(pool, some), /^[\w-]{43}$/);
  }

  /** Clears the cache after a change of keys or sessions. */
  forget(): void {
    this.keys.forget();
    this.sessions.forget();
  }
}

/**
 * Verifies secrets of one kind. Pending look-ups are batched into one query, with at most 40 queries per second
 * whatever the request rate. A cached secret needs no query.
 */
export class Secrets {
  readonly #find: (secrets: string[]) => Promise<Map<string, KeyRow>>;
  readonly #shape: RegExp;
  readonly #known = new Map<string, { row: KeyRow | undefined; until: number }>();
  readonly #waiting: Record<Lane, Map<string, Waiting>> = { normal: new Map(), slow: new Map() };
  readonly #nextAt: Record<Lane, number> = { normal: 0, slow: 0 };
  readonly #busy: Record<Lane, boolean> = { normal: false, slow: false };
  #generation = 0;

  constructor(find: (secrets: string[]) => Promise<Map<string, KeyRow>>, shape: RegExp) {
    this.#find = find;
    this.#shape = shape;
  }

  /**
   * @param distrusted delays the secret by up to a second, unless it was valid before
   * @returns undefined for an unknown, expired or revoked secret
   * @throws ApiError (429) when too many are waiting
   */
  async check(secret: string, distrusted = false): Promise<KeyRow | undefined> {
    if (!this.#shape.test(secret)) return undefined;
    // The secret itself is only held while its query runs.
    const name = createHash('sha256').update(secret).digest('base64');
    const known = this.#known.get(name);
    if (known !== undefined && known.until > performance.now()) return known.row;
    return this.#lookUp(name, secret, distrusted && known?.row === undefined ? 'slow' : 'normal');
  }

  forget(): void {
    this.#generation += 1;
    this.#known.clear();
  }

  #lookUp(name: string, secret: string, lane: Lane): Promise<KeyRow | undefined> {
    const waiting = this.#waiting[lane];
    const one = waiting.get(name) ?? { secret, settle: [], fail: [] };
    if (waiting.size >= MAX_WAITING && !waiting.has(name)) {
      throw new ApiError(429, 'too many keys are being looked up', { retryAfter: 1 });
    }
    waiting.set(name, one);
    return new Promise((resolve, reject) => {
      one.settle.push(resolve);
      one.fail.push(reject);
      this.#schedule(lane);
    });
  }

  #schedule(lane: Lane): void {
    if (this.#busy[lane] || this.#waiting[lane].size === 0) return;
    this.#busy[lane] = true;
    const wait = this.#nextAt[lane] - performance.now();
    const work = (): void => {
      this.#nextAt[lane] = performance.now() + QUERY_EVERY_MS[lane];
      void this.#query(lane).finally(() => {
        this.#busy[lane] = false;
        this.#schedule(lane);
      });
    };
    if (wait <= 0) work();
    else setTimeout(work, wait);
  }

  async #query(lane: Lane): Promise<void> {
    const all = this.#waiting[lane];
    const some = [...all].slice(0, QUERIED_AT_ONCE);
    for (const [name] of some) all.delete(name);
    const generation = this.#generation;
    try {
      const found = await this.#find(some.map(([, { secret }]) => secret));
      for (const [name, { secret, settle }] of some) {
        const row = found.get(secret);
        if (generation === this.#generation) this.#remember(name, row);
        for (const one of settle) one(row);
      }
    } catch (error) {
      for (const [, { fail }] of some) for (const one of fail) one(error);
    }
  }

  #remember(name: string, row: KeyRow | undefined): void {
    this.#known.delete(name);
    for (const [oldest] of this.#known) {
      if (this.#known.size < MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    const kept = row === undefined ? DISTRUSTED_MS : TRUSTED_MS;
    this.#known.set(name, { row, until: performance.now() + kept });
  }
}

/** Checks whether any key exists. Keys are never deleted, so once there is one the database is not queried again. */
export function anyKeyOf(pool: Pool): () => Promise<boolean> {
  let seen = false;
  return async () => {
    seen ||= await anyKey(pool);
    return seen;
  };
}

const MINUTE = 60_000;
const MAX_ADDRESSES = 10_000;

/** Counts wrong keys by address and minute. */
export class WrongKeys {
  readonly #perMinute: number;
  readonly #counts = new Map<string, { wrong: number; until: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Whether an address has sent so many wrong keys that its look-ups are slowed down. */
  isOver({ ip }: FastifyRequest): boolean {
    return this.#countOf(ip).wrong > this.#perMinute;
  }

  /** @throws ApiError always: 401, or 429 when the address has sent too many */
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

export const SESSION_COOKIE = 'tocsin_session';

/** HttpOnly and SameSite: scripts cannot read it, and other sites cannot send it. */
const cookieOptions = (request: FastifyRequest) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https' }) as const;

export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  seconds: number,
): void {
  reply.setCookie(SESSION_COOKIE, token, { ...cookieOptions(request), maxAge: seconds });
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(SESSION_COOKIE, cookieOptions(request));
}
