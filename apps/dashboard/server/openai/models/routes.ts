import { model, modelList, modelParams, refusals } from '@tocsin/contract/openai';
import { listPolicies } from '@tocsin/store';
import type { App } from '../../app.js';
import { notFound } from '../errors/openai-error.js';
import type { OpenaiOptions } from '../options.js';
import { listModels, modelOf } from './list-models.js';
import { findModel, noSuchModel } from './served-model.js';

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

  // The id of a guard may hold slashes, and not every client escapes them.
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
