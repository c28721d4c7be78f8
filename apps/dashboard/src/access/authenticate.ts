import { anyKey, checkSession, type KeyRow, type Pool } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import { ApiError } from '../http/api-error.js';
import type { Services } from '../services.js';
import { isLocal } from './loopback.js';
import { may, type Needs, rolesOf } from './permissions.js';
import { requireSameOrigin } from './same-origin.js';
import { SESSION_COOKIE } from './session-cookie.js';
import type { Who } from './who.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. There is no default: a route of the API that does not say it is refused when it is added. */
    needs?: Needs;
  }
}

/** Finds out who asks, before a body is read, and lets in who may. For all routes that are added to `app` after this. */
export function authenticate(
  app: App,
  { pool, keys, wrongKeys }: Pick<Services, 'pool' | 'keys' | 'wrongKeys'>,
): void {
  const anyKeys = new AnyKey(pool);

  app.decorateRequest('who', undefined);
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.needs === undefined) throw new Error(`${String(method)} ${url} does not say what it needs`);
  });
  app.addHook('onRequest', async (request) => {
    const { needs } = request.routeOptions.config;
    // Undefined where there is no route.
    if (needs === undefined || needs === 'nobody') return;
    const who = await whoAsks(request);
    if (!may(who.role, needs)) {
      throw new ApiError(403, `a key of role ${who.role} may not do this`, {
        hint: `It takes a key of role ${rolesOf(needs).join(' or ')}.`,
      });
    }
    request.who = who;
  });

  async function whoAsks(request: FastifyRequest): Promise<Who> {
    const { authorization } = request.headers;
    // Where there is no key, none can be wrong: OpenAI's clients send one always.
    if (authorization !== undefined && (await anyKeys.exist())) {
      const [, given = ''] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
      return whoOfKey((await keys.check(given)) ?? (await wrongKeys.refuse(request)));
    }
    requireSameOrigin(request);
    const cookie = request.cookies[SESSION_COOKIE];
    if (cookie !== undefined) {
      const key = await checkSession(pool, cookie);
      if (key !== undefined) return whoOfKey(key);
    }
    if (await anyKeys.exist()) {
      throw new ApiError(401, cookie === undefined ? 'a key is needed' : 'the session is over', {
        hint: 'Send the header Authorization: Bearer tcs_..., or sign in on the page.',
      });
    }
    if (isLocal(request)) return { name: 'local', keyId: null, role: 'admin', keyless: true };
    throw new ApiError(401, 'there is no key yet, and without one only this machine itself is let in', {
      hint: 'Make one: tocsin keys create',
    });
  }
}

const whoOfKey = ({ id, name, role }: KeyRow): Who => ({ name, keyId: id, role, keyless: false });

/** Whether there is a key. Keys never go, so that once is for ever. */
class AnyKey {
  readonly #pool: Pool;
  #seen = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async exist(): Promise<boolean> {
    this.#seen ||= await anyKey(this.#pool);
    return this.#seen;
  }
}
