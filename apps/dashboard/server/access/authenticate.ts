import type { Role } from '@tocsin/core';
import type { KeyRow } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import type { App, Services } from '../app.js';
import { ApiError } from '../http/api-error.js';
import { SESSION_COOKIE } from './credentials.js';
import type { Credential } from './live-answers.js';
import { isLocal, isToThisMachine, requireSameOrigin } from './request-origin.js';
import type { Who } from './who.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The access level of a route. It has no default: adding an API route without one throws. */
    needs?: Needs;
  }
}

/**
 * Authenticates each request before its body is read, and checks its permission. Applies to all routes added to `app`
 * after this call.
 */
export function authenticate(
  app: App,
  { credentials, wrongKeys, anyKey, live }: Pick<Services, 'credentials' | 'wrongKeys' | 'anyKey' | 'live'>,
): void {
  app.decorateRequest('who', undefined);
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.needs === undefined) throw new Error(`${String(method)} ${url} declares no access level`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { needs } = request.routeOptions.config;
    // Undefined when no route matches.
    if (needs === undefined || needs === 'nothing') return;
    const { who, credential } = await whoAsks(request);
    if (!may(who.role, needs)) {
      throw new ApiError(403, `a key of role ${who.role} may not do this`, {
        hint: `Use a key of role ${rolesOf(needs).join(' or ')}.`,
      });
    }
    request.who = who;
    live.add(reply, credential);
  });

  async function whoAsks(request: FastifyRequest): Promise<LetIn> {
    const { authorization } = request.headers;
    // Without any keys every key is valid: OpenAI's clients always send one.
    if (authorization !== undefined && (await anyKey())) {
      const [, given = ''] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
      const key = await credentials.keys.check(given, wrongKeys.isOver(request));
      return letIn(key ?? wrongKeys.refuse(request));
    }
    requireSameOrigin(request);
    const cookie = request.cookies[SESSION_COOKIE];
    if (cookie !== undefined) {
      const key = await credentials.sessions.check(cookie, wrongKeys.isOver(request));
      if (key !== undefined) return letIn(key, cookie);
    }
    if (await anyKey()) {
      throw new ApiError(401, cookie === undefined ? 'a key is needed' : 'the session is over', {
        hint: 'Send the header Authorization: Bearer tcs_..., or sign in on the page.',
      });
    }
    if (isLocal(request)) {
      return { who: { name: 'local', keyId: null, role: 'admin', keyless: true }, credential: 'keyless' };
    }
    if (!isToThisMachine(request)) {
      throw new ApiError(401, 'there is no key yet, and the Host of the request is no name of this machine', {
        hint: 'Use http://127.0.0.1 or http://localhost, or make a key: tocsin keys create',
      });
    }
    throw new ApiError(401, 'there is no key yet, and without one only this machine itself is let in', {
      hint: 'Make one: tocsin keys create',
    });
  }
}

interface LetIn {
  who: Who;
  credential: Credential;
}

function letIn({ id, name, role }: KeyRow, session?: string): LetIn {
  return {
    who: { name, keyId: id, role, keyless: false },
    credential: session === undefined ? { keyId: id } : { session },
  };
}

/** The permission that a route requires. */
const PERMISSIONS = ['look', 'score', 'submit', 'read', 'oversee', 'review', 'manage'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * `look`: read data without row texts. `score`: request scores. `submit`: create runs and change one's own. `read`: read
 * runs, rows and texts; the role `submit` sees its own runs only. `oversee`: read data that belongs to no key.
 * `review`: record verdicts. `manage`: everything else.
 */
const PERMISSIONS_OF = {
  submit: ['look', 'score', 'submit', 'read'],
  read: ['look', 'read', 'oversee'],
  review: ['look', 'score', 'read', 'oversee', 'review'],
  admin: PERMISSIONS,
} as const satisfies Record<Role, readonly Permission[]>;

/** The permission that a route requires; `nothing` for a public route. */
type Needs = Permission | 'nothing';

function may(role: Role, permission: Permission): boolean {
  const permissions: readonly Permission[] = PERMISSIONS_OF[role];
  return permissions.includes(permission);
}

/** The roles that have the permission. */
export function rolesOf(permission: Permission): Role[] {
  return (Object.keys(PERMISSIONS_OF) as Role[]).filter((role) => may(role, permission));
}
