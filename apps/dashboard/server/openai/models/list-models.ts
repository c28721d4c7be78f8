import type { Model } from '@tocsin/contract/openai';
import { unixSeconds } from '@tocsin/contract/openai';
import type { PolicyRow } from '@tocsin/store';
import type { ServedGuard, ServedModel } from './served-model.js';

const OWNER = 'tocsin';

/** The models that a server has: its guards, and each policy by its own name. */
export function listModels(guards: readonly ServedGuard[], policies: readonly PolicyRow[]): Model[] {
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
export function modelOf({ guard, threshold, name }: ServedModel): Model {
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
