import { Loop } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { validCredentials } from '@tocsin/store';
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { loggedError } from '../http/log.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers with server-sent events. */
    events?: boolean;
  }
}

const EVERY_MS = 2_000;

/** The credential of a request: a key's id, a session's token, or that no key existed yet. */
export type Credential = { keyId: string } | { session: string } | 'keyless';

interface Live {
  reply: FastifyReply;
  credential: Credential;
  since: number;
}

/**
 * Responses in progress. A long one, such as events or an export, ends when its key is revoked or expires or its session
 * ends, in any process. One query every two seconds checks all of them.
 */
export class LiveAnswers {
  readonly #pool: Pool;
  readonly #anyKey: () => Promise<boolean>;
  readonly #log: FastifyBaseLogger;
  readonly #live = new Set<Live>();
  readonly #checks: Loop;

  /** @param anyKey whether any key exists: from then on every request needs one */
  constructor(pool: Pool, anyKey: () => Promise<boolean>, log: FastifyBaseLogger) {
    this.#pool = pool;
    this.#anyKey = anyKey;
    this.#log = log;
    this.#checks = new Loop(() => this.#checkOlderThan(EVERY_MS), {
      everyMs: EVERY_MS,
      pauseFirst: true,
      keepAlive: false,
      onError: this.#unchecked,
    });
  }

  add(reply: FastifyReply, credential: Credential): void {
    const live = { reply, credential, since: performance.now() };
    this.#live.add(live);
    const remove = (): void => {
      this.#live.delete(live);
    };
    reply.raw.once('finish', remove).once('close', remove);
  }

  /** Checks immediately, after a change of keys or sessions in this process. */
  check(): Promise<void> {
    return this.#checkOlderThan(0).catch(this.#unchecked);
  }

  close(): Promise<void> {
    return this.#checks.close();
  }

  readonly #unchecked = (error: unknown): void =>
    this.#log.warn(loggedError(error), 'cannot check the keys of responses in progress');

  async #checkOlderThan(ms: number): Promise<void> {
    const before = performance.now() - ms;
    // A response that has not started was authorized in time.
    const long = [...this.#live].filter(({ reply, since }) => since <= before && reply.raw.headersSent);
    if (long.length === 0) return;
    const valid = await this.#valid(long.map(({ credential }) => credential));
    for (const { reply, credential } of long) if (!valid(credential)) end(reply);
  }

  async #valid(credentials: readonly Credential[]): Promise<(credential: Credential) => boolean> {
    const keyIds = new Set<string>();
    const sessions = new Set<string>();
    for (const credential of credentials) {
      if (credential === 'keyless') continue;
      if ('keyId' in credential) keyIds.add(credential.keyId);
      else sessions.add(credential.session);
    }
    const none = keyIds.size + sessions.size === 0;
    const shown = { keyIds: [...keyIds], sessions: [...sessions] };
    const valid = none ? new Set<string>() : await validCredentials(this.#pool, shown);
    const keyless = credentials.includes('keyless') && !(await this.#anyKey());
    return (credential) => {
      if (credential === 'keyless') return keyless;
      return valid.has('keyId' in credential ? credential.keyId : credential.session);
    };
  }
}

/** Event streams end normally; a file is aborted, so that a partial one does not look complete. */
function end({ raw, request }: FastifyReply): void {
  if (request.routeOptions.config.events === true) raw.end();
  else raw.destroy();
}
