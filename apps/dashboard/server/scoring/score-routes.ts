import {
  type Item as GivenItem,
  type ItemScore,
  type ScoreRequest,
  scoreAnswer,
  scoreAnswers,
  scoreRequest,
  type Trace,
  trace,
  traceRequest,
} from '@tocsin/contract';
import { fieldSource } from '@tocsin/corpus';
import type { Trace as EngineTrace, Item } from '@tocsin/engine';
import type { ExpressOutcome } from '@tocsin/pipeline';
import { z } from 'zod';
import { clientOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import { ApiError } from '../http/api-error.js';
import { untilGone } from '../http/connections.js';
import { elementsOf } from '../http/json-body.js';
import { type Judgement, judgementOf } from '../policies/judgement.js';

/** Interactive scores of one or many items; workers score them before batch rows. */
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
    throw new ApiError(400, 'both an item and items were given; expected one of them', { field: 'items' });
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

/**
 * The item of a request. Messages and tools stay raw JSON: a number's spelling can change a score.
 * @param json the raw object with the item
 * @param field path of that object in the request
 * @throws ApiError when it has no item, or more than one kind
 */
export function itemOf(given: GivenItem, json: string, field = ''): Item {
  const { text, prompt, response, messages, tools } = given;
  const at = (name: string): string => `${field}${name}`;
  const pair = (prompt ?? response ?? null) !== null;
  const kinds = [text !== undefined, pair, messages !== undefined].filter(Boolean).length;
  if (kinds !== 1) {
    throw new ApiError(
      400,
      kinds === 0 ? 'there is nothing to score' : 'there is more than one thing to score',
      {
        field: at('text'),
        hint: 'Give text, or prompt and/or response, or messages and perhaps tools.',
      },
    );
  }
  if (messages !== undefined) {
    return { messages: fieldSource(json, 'messages') ?? '[]', tools: fieldSource(json, 'tools') };
  }
  if ((tools ?? null) !== null) throw new ApiError(400, 'tools belong to messages', { field: at('tools') });
  return text === undefined ? { prompt, response } : { text };
}

/** Scores after each token of an item. */
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

/** A trace as a response. */
export function traceAnswer(
  trace: EngineTrace,
  judged: { guard: string; threshold: number; policy: string | null },
): Trace {
  const { text, score, omittedTokens } = trace;
  const { threshold } = judged;
  const tokens = trace.tokens.map((token) => ({
    text: text.slice(token.start, token.end),
    start: token.start,
    end: token.end,
    score: token.score,
  }));
  const first = tokens.findIndex((token) => token.score >= threshold);
  return {
    ...judged,
    score,
    harmful: score >= threshold,
    text,
    tokens,
    firstHarmful: first === -1 ? null : first,
    omittedTokens,
  };
}
