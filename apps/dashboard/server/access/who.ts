import type { Role } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { type AuditEntry, audit } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';

/** Who asks. */
export interface Who {
  /** The key's name; `local` where there is none. */
  name: string;
  /** Null without a key. */
  keyId: string | null;
  role: Role;
  /** There is no key yet, and who asks is at this machine. */
  keyless: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined on public routes. */
    who: Who | undefined;
  }
}

/** @throws Error on a public route: a bug */
export function whoOf(request: FastifyRequest): Who {
  if (request.who === undefined)
    throw new Error(`${request.routeOptions.url} is a public route: its caller is unknown`);
  return request.who;
}

/** Who takes a turn of its own among interactive requests: a key, or without keys an address. */
export function clientOf(request: FastifyRequest): string {
  return whoOf(request).keyId ?? request.ip;
}

/** The key to whose runs, files and batches the caller is limited; undefined for a caller who may see all. */
export function onlyOwner({ role, keyId }: Who): string | undefined {
  if (role !== 'submit') return undefined;
  if (keyId === null) throw new Error('the role submit comes with a key');
  return keyId;
}

/** What was done; by whom, the request says. Never a text of a row. */
export type Deed = Omit<AuditEntry, 'who' | 'keyId'>;

/** Writes down what who asks does. A read is written before it is answered, a change when it is done. */
export async function audited(pool: Pool, request: FastifyRequest, deed: Deed): Promise<void> {
  const { name, keyId } = whoOf(request);
  await audit(pool, { ...deed, who: name, keyId });
}
