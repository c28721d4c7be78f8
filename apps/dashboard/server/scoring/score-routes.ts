import { type ItemScore, type ScoreRequest, scoreAnswer, scoreAnswers, scoreRequest } from '@tocsin/contract';
import { fieldSource } from '@tocsin/corpus';
import type { Item } from '@tocsin/engine';
import type { ExpressOutcome } from '@tocsin/pipeline';
import { z } from 'zod';
import { clientOf } from '../access/who.js';
import type { App } from '../app.js';
import { ApiError } from '../http/api-error.js';
import { untilGone } from '../http/client-gone.js';
import { elementsOf } from '../http/json-source.js';
import { type Judgement, judgementOf } from '../policies/judgement.js';
import type { Services } from '../services.js';
import { itemOf } from './item-of.js';

/** One item, or many: scored by the workers, ahead of their bulk. */
export function scoreRoutes(app: App, services: Services): void {
  app.post(
    '/score',
    {
      config: { needs: 'score', interactive: true },
      schema: {
        tags: ['scoring'],
        summary: 'Score an item, or `items`',
        body: scoreRequest,
        response: { 200: z.union([scoreAnswer, scoreAnswers]) },
      },
    },
    async (request, reply) => {
      const { items, ...one } = request.body;
      const json = request.jsonText ?? '{}';
      const asked = items === undefined ? [itemOf(one, json)] : manyOf(request.body, json);
      const judgement = await judgementOf(services, request.body);
      const { guard, threshold, policy } = judgement;
      const outcomes = await guard.scorer.score(asked, {
        signal: untilGone(reply),
        client: clientOf(request),
      });
      const judged = { guard: guard.name, threshold, policy };
      if (items !== undefined)
        return { ...judged, results: outcomes.map((outcome) => resultOf(outcome, judgement)) };
      const [outcome] = outcomes;
      if (outcome === undefined) throw new Error('one item gave no outcome');
      if (outcome.score === undefined) throw new ApiError(422, outcome.error);
      return { ...judged, ...scoreOf(outcome, judgement) };
    },
  );
}

function manyOf({ items = [], ...one }: ScoreRequest, json: string): Item[] {
  const { text, prompt, response, messages, tools } = one;
  if ([text, prompt, response, messages, tools].some((part) => part !== undefined)) {
    throw new ApiError(400, 'an item stands beside items; one or the other was expected', { field: 'items' });
  }
  const sources = elementsOf(fieldSource(json, 'items') ?? '[]');
  return items.map((item, i) => itemOf(item, sources[i] ?? '{}', `items.${i}.`));
}

function resultOf(outcome: ExpressOutcome, judgement: Judgement): ItemScore {
  return outcome.score === undefined ? { error: outcome.error } : scoreOf(outcome, judgement);
}

function scoreOf(
  { score, tokens, truncated }: Extract<ExpressOutcome, { score: number }>,
  { threshold }: Judgement,
) {
  return { score, harmful: score >= threshold, tokens, truncated };
}
