import type { Pool } from '@tocsin/postgres';
import { type KeyRow, listKeys } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { whoOf } from '../access/who.js';

/** Who judges: the key, since two may have one name. */
export function reviewerOf(request: FastifyRequest): string {
  const { keyId, name } = whoOf(request);
  return keyId ?? name;
}

/** What people call reviewers; of two keys with one name, each with how it begins. */
export async function reviewerNames(pool: Pool): Promise<(reviewer: string) => string> {
  const keys = await listKeys(pool);
  const named = new Map(keys.map((key) => [key.id, nameOf(key, keys)]));
  return (reviewer) => named.get(reviewer) ?? reviewer;
}

function nameOf({ name, prefix, id }: KeyRow, keys: readonly KeyRow[]): string {
  const alone = keys.every((other) => other.id === id || other.name !== name);
  return alone ? name : `${name} (${prefix}…)`;
}
