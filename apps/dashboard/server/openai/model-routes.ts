import { type Model, model, modelList, modelParams, refusals, unixSeconds } from '@tocsin/contract/openai';
import { listPolicies, type PolicyRow } from '@tocsin/store';
import type { App } from '../app.js';
import { notFound } from './errors.js';
import {
  findModel,
  noSuchModel,
  type OpenaiOptions,
  type ServedGuard,
  type ServedModel,
} from './served-models.js';

/** `GET /models`, `GET /models/{id}`: guards and policies. */
export function modelRoutes(app: App, { pool, guards }: OpenaiOptions): void {
  app.get(
    '/models',
    {
      config: { needs: 'look' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Guards and policies, as models',
        response: { 200: modelList, ...refusals },
      },
    },
    async () => ({ object: 'list' as const, data: listModels(guards, await listPolicies(pool)) }),
  );

  // A guard's id may contain slashes, and not every client escapes them.
  app.get(
    '/models/*',
    {
      config: { needs: 'look' },
      schema: {
        tags: ['OpenAI'],
        summary: 'A guard, a policy, or `guard:policy`',
        params: modelParams,
        response: { 200: model, ...refusals },
      },
    },
    async (request) => {
      const { '*': id } = request.params;
      const policies = await listPolicies(pool);
      const listed = listModels(guards, policies).find((one) => one.id === id);
      if (listed !== undefined) return listed;
      const found = findModel(id, guards, policies);
      if (found === undefined) throw notFound(noSuchModel(id), 'model', 'model_not_found');
      return { ...modelOf(found), id };
    },
  );
}

const OWNER = 'tocsin';

/** The models of a server: its guards, and each policy by name. */
function listModels(guards: readonly ServedGuard[], policies: readonly PolicyRow[]): Model[] {
  return [
    ...guards.map((guard) => modelOf({ guard, threshold: guard.threshold, name: guard.name })),
    ...policies.map(({ name, threshold, meaning, createdAt }) => ({
      id: name,
      object: 'model' as const,
      created: unixSeconds(createdAt),
      owned_by: OWNER,
      threshold,
      description: `Policy. ${meaning}`.trim(),
    })),
  ];
}

/** A guard, or a guard with a policy. */
function modelOf({ guard, threshold, name }: ServedModel): Model {
  const what =
    name === guard.name ? 'Guard, with its own threshold.' : 'Guard, with the threshold of a policy.';
  return {
    id: name,
    object: 'model',
    created: unixSeconds(guard.createdAt),
    owned_by: OWNER,
    threshold,
    description: what,
  };
}
