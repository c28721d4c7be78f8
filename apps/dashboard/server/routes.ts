import { keyRoutes } from './access/key-routes.js';
import { sessionRoutes } from './access/session-routes.js';
import type { App, Services } from './app.js';
import { guardRoutes } from './guards/routes.js';
import { ApiError } from './http/api-error.js';
import { healthRoutes } from './http/health-routes.js';
import { documentRoute } from './http/openapi.js';
import { openaiRoutes } from './openai/index.js';
import { policyRoutes } from './policies/routes.js';
import { reviewRoutes } from './reviews/routes.js';
import { reviewSummaryRoutes } from './reviews/summary-routes.js';
import { compareRoutes } from './runs/compare-routes.js';
import { createRunRoutes } from './runs/create-routes.js';
import { exportRoutes } from './runs/export-routes.js';
import { itemRoutes } from './runs/item-routes.js';
import { runRoutes, runScoreRoutes } from './runs/run-routes.js';
import { scheduleRoutes } from './schedules/routes.js';
import { scoreRoutes, traceRoutes } from './scoring/score-routes.js';
import { streamRoutes } from './scoring/stream-routes.js';

/** All routes with access levels. */
export async function addRoutes(app: App, services: Services): Promise<void> {
  healthRoutes(app, services);
  await app.register(
    async (api: App) => {
      api.addHook('preValidation', async ({ query }) => requireFilled(query));
      documentRoute(api);
      sessionRoutes(api, services);
      keyRoutes(api, services);
      scoreRoutes(api, services);
      traceRoutes(api, services);
      streamRoutes(api, services);
      runRoutes(api, services);
      createRunRoutes(api, services);
      runScoreRoutes(api, services);
      itemRoutes(api, services);
      compareRoutes(api, services);
      exportRoutes(api, services);
      guardRoutes(api, services);
      policyRoutes(api, services);
      reviewRoutes(api, services);
      reviewSummaryRoutes(api, services);
      scheduleRoutes(api, services);
    },
    { prefix: '/api' },
  );
  const { pool, guards, limits, submit } = services;
  const uploadBytes = limits.uploadBytes;
  await app.register(openaiRoutes, { prefix: '/v1', pool, guards: guards.all, submit, uploadBytes });
}

/** Otherwise `?limit=` would be read as 0. */
function requireFilled(query: unknown): void {
  const empty = Object.entries(query ?? {}).find(([, value]) => value === '');
  if (empty === undefined) return;
  const [name] = empty;
  throw new ApiError(400, `${name === '' ? 'a part of the query' : name} is empty`, {
    field: name === '' ? undefined : name,
    hint: 'Leave it out, or give it a value.',
  });
}
