import { MAX_INPUTS, moderation, moderationRequest, refusals } from '@tocsin/contract/openai';
import { type InputText, moderationResult, moderationTexts } from '@tocsin/corpus';
import type { ExpressOutcome } from '@tocsin/pipeline';
import { listPolicies } from '@tocsin/store';
import { clientOf } from '../access/who.js';
import type { App } from '../app.js';
import { untilGone } from '../http/connections.js';
import { invalid, notFound, OpenaiError } from './errors.js';
import { findModel, newId, noSuchModel, type OpenaiOptions } from './models.js';

/** `POST /moderations`: scores texts interactively. */
export function moderationRoutes(app: App, { pool, guards }: OpenaiOptions): void {
  app.post(
    '/moderations',
    {
      config: { needs: 'score', interactive: true },
      schema: {
        tags: ['OpenAI'],
        summary: 'Score a text, or several',
        body: moderationRequest,
        response: { 200: moderation, ...refusals },
      },
    },
    async (request, reply) => {
      const { input, model: name } = request.body;
      const texts = requireTexts(input);
      // Most requests name no policy, and need not load them.
      const model = findModel(name, guards, []) ?? findModel(name, guards, await listPolicies(pool));
      if (model === undefined) throw notFound(noSuchModel(name ?? ''), 'model', 'model_not_found');
      const outcomes = await model.guard.scorer.score(
        texts.map(({ text }) => ({ text })),
        { signal: untilGone(reply), client: clientOf(request) },
      );
      const { threshold } = model;
      const results = outcomes.map((outcome, i) => {
        const { score, truncated } = requireScore(outcome, texts.length === 1 ? 'input' : `input[${i}]`);
        return moderationResult({ score, threshold, truncated });
      });
      return { id: newId('modr-'), model: model.name, results };
    },
  );
}

function requireTexts(input: unknown): InputText[] {
  const texts = moderationTexts(input);
  if (!Array.isArray(texts)) throw new OpenaiError({ ...texts, status: texts.status ?? 400 });
  if (texts.length <= MAX_INPUTS) return texts;
  throw invalid(
    `The "input" has ${texts.length} texts; the maximum is ${MAX_INPUTS}. Use a batch for more.`,
    'input',
    'array_above_max_length',
  );
}

/** OpenAI's response has no error per text: one failed text fails the request. */
function requireScore(outcome: ExpressOutcome, param: string): Extract<ExpressOutcome, { score: number }> {
  if (outcome.score !== undefined) return outcome;
  if (outcome.refused) throw invalid(outcome.error, param);
  throw new OpenaiError(
    {
      message: `The model has no score for this text: ${outcome.error}`,
      status: 500,
      code: 'no_score',
      param,
    },
    // The guard's rejection is deterministic: a retry would fail again.
    { retry: false },
  );
}
