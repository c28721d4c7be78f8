import { ROLES, type Role } from '@tocsin/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';

const ALL: readonly Role[] = ROLES;
const SCORES: readonly Role[] = ['submit', 'review', 'admin'];
const SUBMITS: readonly Role[] = ['submit', 'admin'];
const OVERSEES: readonly Role[] = ['read', 'review', 'admin'];
const REVIEWS: readonly Role[] = ['review', 'admin'];
const ADMIN: readonly Role[] = ['admin'];
/** No key is needed. */
const PUBLIC = 'public';

/** Who may call which route. A route in the OpenAPI document that is missing here fails the test. */
const MAY: Record<string, readonly Role[] | typeof PUBLIC> = {
  'GET /healthz': PUBLIC,
  'GET /readyz': PUBLIC,
  'GET /metrics': OVERSEES,
  'GET /api/openapi.json': PUBLIC,
  'GET /api/me': ALL,
  'POST /api/session': PUBLIC,
  'DELETE /api/session': PUBLIC,
  'GET /api/keys': ADMIN,
  'POST /api/keys': ADMIN,
  'DELETE /api/keys/{id}': ADMIN,
  'GET /api/audit': ADMIN,
  'POST /api/score': SCORES,
  'POST /api/trace': SCORES,
  'POST /api/streams': SCORES,
  'POST /api/streams/{id}/chunks': SCORES,
  'GET /api/streams/{id}/events': SCORES,
  'DELETE /api/streams/{id}': SCORES,
  'GET /api/runs': ALL,
  'POST /api/runs': SUBMITS,
  'POST /api/runs/upload': SUBMITS,
  'GET /api/runs/{id}': ALL,
  'DELETE /api/runs/{id}': SUBMITS,
  'GET /api/runs/{id}/events': ALL,
  'POST /api/runs/{id}/cancel': SUBMITS,
  'POST /api/runs/{id}/retry': SUBMITS,
  'GET /api/runs/{id}/histogram': ALL,
  'GET /api/runs/{id}/counts': ALL,
  'GET /api/runs/{id}/items': ALL,
  'GET /api/runs/{id}/items/{seq}': ALL,
  'GET /api/runs/{id}/items/{seq}/trace': ALL,
  'GET /api/runs/{id}/rejects': ALL,
  'GET /api/runs/{id}/compare/{other}': ALL,
  'GET /api/runs/{id}/export': ALL,
  'GET /api/guards': ALL,
  'GET /api/guards/{fingerprint}': ALL,
  'GET /api/policies': ALL,
  'POST /api/policies': ADMIN,
  'GET /api/policies/{name}': ALL,
  'PATCH /api/policies/{name}': ADMIN,
  'GET /api/policies/{name}/changes': ALL,
  'GET /api/policies/{name}/preview': ALL,
  'POST /api/reviews/next': REVIEWS,
  'POST /api/reviews/verdicts': REVIEWS,
  'POST /api/reviews/undo': REVIEWS,
  'POST /api/reviews/release': REVIEWS,
  'GET /api/reviews/summary': OVERSEES,
  'GET /api/reviews/export': REVIEWS,
  'GET /api/schedules': OVERSEES,
  'POST /api/schedules': ADMIN,
  'GET /api/schedules/{name}': OVERSEES,
  'PATCH /api/schedules/{name}': ADMIN,
  'DELETE /api/schedules/{name}': ADMIN,
  'POST /api/schedules/{name}/run-now': ADMIN,
  'GET /api/schedules/{name}/firings': OVERSEES,
  'GET /api/schedules/{name}/deliveries': OVERSEES,
  'POST /api/schedules/{name}/test-webhook': ADMIN,
  'GET /v1/models': ALL,
  'GET /v1/models/{*}': ALL,
  'POST /v1/moderations': SCORES,
  'GET /v1/files': ALL,
  'POST /v1/files': SUBMITS,
  'GET /v1/files/{id}': ALL,
  'DELETE /v1/files/{id}': SUBMITS,
  'GET /v1/files/{id}/content': ALL,
  'GET /v1/batches': ALL,
  'POST /v1/batches': SUBMITS,
  'GET /v1/batches/{id}': ALL,
  'POST /v1/batches/{id}/cancel': SUBMITS,
};

interface Document {
  paths: Record<string, Record<string, { 'x-roles': string[]; security: unknown[] }>>;
}

let bed: DashboardBed;
let routes: { name: string; roles: string[] }[];
beforeAll(async () => {
  bed = await DashboardBed.open();
  const { body } = await bed.ask<Document>(null, { url: '/api/openapi.json' });
  routes = Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      roles: operation['x-roles'],
    })),
  );
});
afterAll(() => bed.close());

/** Statuses of a permitted call without valid input. */
async function statusOf(caller: Role | null, name: string): Promise<number> {
  const [method = '', path = ''] = name.split(' ');
  const url = path
    .replace(/\{(id|other|seq)\}/g, path.startsWith('/v1/') || path.includes('streams') ? 'none' : '999999')
    .replace(/\{[^}]*\}/g, 'none');
  const { status } = await bed.ask(caller, { method: method as 'GET', url });
  return status;
}

test('the document has the routes that are listed here, each for those who may', () => {
  const documented = Object.fromEntries(routes.map(({ name, roles }) => [name, roles]));
  const expected = Object.entries(MAY).map(([name, roles]) => [name, roles === PUBLIC ? [] : [...roles]]);
  expect(documented).toEqual(Object.fromEntries(expected));
});

describe.each([...ROLES, null])('%s', (caller) => {
  test('may call what is listed, and is refused elsewhere', async () => {
    const wrong: string[] = [];
    for (const [name, roles] of Object.entries(MAY)) {
      const status = await statusOf(caller, name);
      const allowed = roles === PUBLIC || (caller !== null && roles.includes(caller));
      const refusal = caller === null ? 401 : 403;
      // Sign-in without a key is refused too, with another message.
      if (allowed ? status === 401 || status === 403 || status >= 500 : status !== refusal) {
        wrong.push(`${name}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
