import { randomUUID } from 'node:crypto';
import { type Model, model, modelList, modelParams, refusals, unixSeconds } from '@tocsin/contract/openai';
import type { OpenGuard } from '@tocsin/engine';
import type { ExpressScorer, Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import { listPolicies, type PolicyRow } from '@tocsin/store';
import type { App } from '../app.js';
import { notFound } from './errors.js';

/** A served guard. */
export interface ServedGuard {
  /** Its name in requests. */
  name: string;
  /** The guard's own threshold. */
  threshold: number;
  /** When the guard was registered in the database. */
  createdAt: Date;
}

/** A named threshold. */
export interface NamedThreshold {
  name: string;
  threshold: number;
}

/** The meaning of a request's `model`: a guard, and the score from which a text is flagged. */
export interface ServedModel<Guard extends ServedGuard = ServedGuard> {
  guard: Guard;
  threshold: number;
  /** The full name: the guard, or `guard:policy`. */
  name: string;
}

/** OpenAI's own model names, which existing clients send: they mean the default guard. */
const OPENAI_MODEL = /^(omni|text)-moderation-/;

/**
 * The guard and threshold for a name: a guard (with its own threshold), a policy (with the default guard), or `guard:policy`.
 * No name, or one of OpenAI's moderation models, means the default guard.
 * @returns undefined for an unknown name
 */
export function findModel<Guard extends ServedGuard>(
  name: string | null | undefined,
  guards: readonly Guard[],
  policies: readonly NamedThreshold[],
): ServedModel<Guard> | undefined {
  const [first] = guards;
  if (first === undefined) return undefined;
  const named = guards.find((guard) => guard.name === name);
  if (named !== undefined) return { guard: named, threshold: named.threshold, name: named.name };
  if (name === undefined || name === null || OPENAI_MODEL.test(name))
    return { guard: first, threshold: first.threshold, name: first.name };
  const colon = name.lastIndexOf(':');
  const guard = colon === -1 ? first : guards.find((one) => one.name === name.slice(0, colon));
  const policy = policies.find((one) => one.name === name.slice(colon + 1));
  if (guard === undefined || policy === undefined) return undefined;
  return { guard, threshold: policy.threshold, name: `${guard.name}:${policy.name}` };
}

/** The error for an unknown model name. */
export function noSuchModel(name: string): string {
  return `The model ${JSON.stringify(name.slice(0, 200))} does not exist: a guard, a policy or "guard:policy" was expected (GET /v1/models lists them).`;
}

/** A guard for interactive scores and for batches. */
export interface AskedGuard extends ServedGuard {
  scorer: Pick<ExpressScorer, 'score'>;
  open: OpenGuard;
}

/** Options of the OpenAI routes. */
export interface OpenaiOptions {
  pool: Pool;
  /** Served guards, the default first. */
  guards: readonly AskedGuard[];
  submit: Submit;
  /** Maximum bytes of an uploaded file. */
  uploadBytes: number;
}

/** An id in OpenAI's format: a prefix for the kind, and 32 hex digits. */
export function newId(prefix: 'file-' | 'batch_' | 'modr-'): string {
  return prefix + randomUUID().replaceAll('-', '');
}

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
