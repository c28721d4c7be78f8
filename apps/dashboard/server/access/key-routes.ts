import {
  type ApiKey,
  apiKey,
  auditEntries,
  auditQuery,
  keyList,
  keyParams,
  madeKey,
  newKey,
} from '@tocsin/contract';
import { createKey, type KeyRow, listAudit, listKeys, revokeKey } from '@tocsin/store';
import type { App, Services } from '../app.js';
import { ApiError, notFound } from '../http/api-error.js';
import { pageOfRows, placeOf, serialPlace } from '../http/cursor.js';
import { audited, whoOf } from './who.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Keys and the audit log. */
export function keyRoutes(app: App, { pool, credentials, live }: Services): void {
  app.get(
    '/keys',
    {
      config: { needs: 'manage' },
      schema: { tags: ['access'], summary: 'Keys, the newest first', response: { 200: keyList } },
    },
    async () => ({ data: (await listKeys(pool)).map(answerOf) }),
  );

  app.post(
    '/keys',
    {
      config: { needs: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'Create a key; only this response contains it',
        body: newKey,
        response: { 201: madeKey },
      },
    },
    async (request, reply) => {
      const { name, role, expiresInDays } = request.body;
      if (whoOf(request).keyless && role !== 'admin')
        throw new ApiError(
          409,
          'the first key must be an admin key: once a key exists, every request needs one',
          {
            field: 'role',
            hint: 'Create an admin key first, then the others.',
          },
        );
      const { key, row } = await createKey(pool, {
        name,
        role,
        expiresAt: expiresInDays === undefined ? undefined : new Date(Date.now() + expiresInDays * DAY_MS),
        createdBy: whoOf(request).name,
      });
      await audited(pool, request, { action: 'key.create', subject: row.id, details: { name, role } });
      // The first key ends all keyless access.
      await live.check();
      return reply.code(201).send({ ...answerOf(row), key });
    },
  );

  app.delete(
    '/keys/:id',
    {
      config: { needs: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'Revoke a key and end its sessions',
        params: keyParams,
        response: { 200: apiKey },
      },
    },
    async (request) => {
      const { id } = request.params;
      const revoked = await revokeKey(pool, id);
      credentials.forget();
      await live.check();
      if (revoked === undefined) throw notFound(`key ${id}`);
      await audited(pool, request, { action: 'key.revoke', subject: id, details: { name: revoked.name } });
      return answerOf(revoked);
    },
  );

  app.get(
    '/audit',
    {
      config: { needs: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'Every change and every read of a text, the newest first',
        querystring: auditQuery,
        response: { 200: auditEntries },
      },
    },
    async (request) => {
      const { limit, cursor, action, run } = request.query;
      const rows = await listAudit(pool, {
        limit: limit + 1,
        before: placeOf(cursor, serialPlace),
        action,
        runId: run,
      });
      return pageOfRows(
        rows,
        limit,
        ({ at, runId, details, ...entry }) => ({
          ...entry,
          at: at.toISOString(),
          run: runId,
          details: details ?? {},
        }),
        ({ id }) => id,
      );
    },
  );
}

const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

function answerOf({ createdAt, expiresAt, revokedAt, lastUsedAt, ...key }: KeyRow): ApiKey {
  return {
    ...key,
    createdAt: createdAt.toISOString(),
    expiresAt: isoOrNull(expiresAt),
    revokedAt: isoOrNull(revokedAt),
    lastUsedAt: isoOrNull(lastUsedAt),
  };
}
