import { randomUUID } from 'node:crypto';
import type { OpenGuard } from '@tocsin/engine';
import type { ExpressScorer, Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';

/** A guard that can be asked. */
export interface ServedGuard {
  /** As requests name it. */
  name: string;
  /** Its own: from which score on a text is harmful. */
  threshold: number;
  /** When the database first heard of it. */
  createdAt: Date;
}

/** A threshold with a name. */
export interface NamedThreshold {
  name: string;
  threshold: number;
}

/** What a request's `model` stands for: a guard, and from which score on a text is flagged. */
export interface ServedModel<Guard extends ServedGuard = ServedGuard> {
  guard: Guard;
  threshold: number;
  /** What names it in full: the guard, or `guard:policy`. */
  name: string;
}

/** Names that existing callers of OpenAI's moderations have in their code: they mean the default. */
const OPENAI_MODEL = /^(omni|text)-moderation-/;

/**
 * The guard and threshold that a name stands for: a guard (with its own threshold), a policy (of the default guard, the
 * first), or `guard:policy`. No name, and the names of OpenAI's own moderation models, mean the default guard.
 * @returns undefined when it is none of these
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

/** What a request that names no model of ours is told. */
export function noSuchModel(name: string): string {
  return `The model ${JSON.stringify(name.slice(0, 200))} does not exist: a guard, a policy or "guard:policy" was expected (GET /v1/models lists them).`;
}

/** A guard that the routes can ask for single scores, and that batches are submitted for. */
export interface AskedGuard extends ServedGuard {
  scorer: Pick<ExpressScorer, 'score'>;
  open: OpenGuard;
}

/** What the OpenAI routes are given. */
export interface OpenaiOptions {
  pool: Pool;
  /** Guards that can be asked, the default first. */
  guards: readonly AskedGuard[];
  submit: Submit;
  /** Of an uploaded file. */
  uploadBytes: number;
}

/** An id as OpenAI's look: a prefix that says of what, and 32 hex digits. */
export function newId(prefix: 'file-' | 'batch_' | 'modr-'): string {
  return prefix + randomUUID().replaceAll('-', '');
}
