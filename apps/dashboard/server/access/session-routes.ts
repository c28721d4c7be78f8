import { MAX_ITEMS, me, signIn } from '@tocsin/contract';
import { beginSession, endSession } from '@tocsin/store';
import { z } from 'zod';
import type { App, Services } from '../app.js';
import { clearSessionCookie, SESSION_COOKIE, setSessionCookie } from './credentials.js';
import { requireSameOrigin } from './request-origin.js';
import { whoOf } from './who.js';

/** Maximum bytes of a request that needs no key. */
const MAX_BODY = 4 * 1024;

/** The current user, sign-in and sign-out. */
export function sessionRoutes(app: App, services: Services): void {
  const { pool, limits, guards, version, wrongKeys, credentials, live } = services;

  app.get(
    '/me',
    { config: { needs: 'look' }, schema: { tags: ['access'], summary: 'Who asks', response: { 200: me } } },
    async (request) => {
      const { name, role, keyless } = whoOf(request);
      const { bodyBytes, uploadBytes } = limits;
      return {
        name,
        role,
        keyless,
        guards: guards.names,
        version,
        limits: { bodyBytes, uploadBytes, items: MAX_ITEMS },
      };
    },
  );

  app.post(
    '/session',
    {
      config: { needs: 'nothing' },
      bodyLimit: MAX_BODY,
      schema: {
        tags: ['access'],
        summary: 'Sign in with a key: sets a cookie',
        body: signIn,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      requireSameOrigin(request);
      const found = await credentials.keys.check(request.body.key, wrongKeys.isOver(request));
      const key = found ?? wrongKeys.refuse(request);
      const token = await beginSession(pool, key.id, limits.sessionSeconds);
      setSessionCookie(request, reply, token, limits.sessionSeconds);
      return reply.code(204).send();
    },
  );

  app.delete(
    '/session',
    {
      config: { needs: 'nothing' },
      bodyLimit: MAX_BODY,
      schema: { tags: ['access'], summary: 'Sign out', response: { 204: z.undefined() } },
    },
    async (request, reply) => {
      requireSameOrigin(request);
      const token = request.cookies[SESSION_COOKIE];
      if (token !== undefined) {
        await endSession(pool, token);
        credentials.forget();
        await live.check();
      }
      clearSessionCookie(request, reply);
      return reply.code(204).send();
    },
  );
}
