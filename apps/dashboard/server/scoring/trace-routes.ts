import { trace, traceRequest } from '@tocsin/contract';
import { clientOf } from '../access/who.js';
import type { App } from '../app.js';
import { untilGone } from '../http/client-gone.js';
import { judgementOf } from '../policies/judgement.js';
import type { Services } from '../services.js';
import { itemOf } from './item-of.js';
import { traceAnswer } from './trace-answer.js';

/** The score after every token of an item. */
export function traceRoutes(app: App, services: Services): void {
  app.post(
    '/trace',
    {
      config: { needs: 'score', interactive: true },
      schema: {
        tags: ['scoring'],
        summary: 'Where an item turns harmful: the score after every token',
        body: traceRequest,
        response: { 200: trace },
      },
    },
    async (request, reply) => {
      const json = request.jsonText ?? '{}';
      const item = itemOf(request.body, json);
      const { guard, threshold, policy } = await judgementOf(services, request.body);
      const work = { client: clientOf(request), characters: json.length, signal: untilGone(reply) };
      const traced = await guard.prefixGate.run(work, async () =>
        (await guard.prefixes()).trace(item, { threshold }),
      );
      return traceAnswer(traced, { guard: guard.name, threshold, policy });
    },
  );
}
