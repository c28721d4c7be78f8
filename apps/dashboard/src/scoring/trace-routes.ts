import type { App } from '../app.js';
import { trace, traceRequest } from '../contract/index.js';
import { judgementOf } from '../policies/judgement.js';
import type { Services } from '../services.js';
import { itemOf } from './item-of.js';
import { traceAnswer } from './trace-answer.js';

/** The score after every token of an item. */
export function traceRoutes(app: App, services: Services): void {
  app.post(
    '/trace',
    {
      config: { needs: 'score' },
      schema: {
        tags: ['scoring'],
        summary: 'Where an item turns harmful: the score after every token',
        body: traceRequest,
        response: { 200: trace },
      },
    },
    async (request) => {
      const item = itemOf(request.body, request.jsonText ?? '{}');
      const { guard, threshold, policy } = await judgementOf(services, request.body);
      const traced = await (await guard.prefixes()).trace(item, { threshold });
      return traceAnswer(traced, { guard: guard.name, threshold, policy });
    },
  );
}
