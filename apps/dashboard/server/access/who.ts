import type { Role } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { type AuditEntry, audit } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';

/** The caller of a request. */
export interface Who {
  /** The key's name; `local` without keys. */
  name: string;
  /** Null without a key. */
  keyId: string | null;
  role: Role;
  /** No key exists yet, and the request comes from this machine. */
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

/** The client for rate limits and fair queueing: the key, or without keys the address. */
export function clientOf(request: FastifyRequest): string {
  return whoOf(request).keyId ?? request.ip;
}

/** The key to whose runs, files and batches the caller is limited; undefined for a caller who may see all. */
export function onlyOwner({ role, keyId }: Who): string | undefined {
  if (role !== 'submit') return undefined;
  if (keyId === null) throw new Error('the role submit requires a key');
  return keyId;
}

/** An audit entry without its actor, which comes from the request. Never contains the text of a row. */
export type NewAuditEntry = Omit<AuditEntry, 'who' | 'keyId'>;

/** Writes an audit entry for the caller. A read is recorded before its response, a change after it succeeded. */
export async function audited(pool: Pool, request: FastifyRequest, entry: NewAuditEntry): Promise<void> {
  const { name, keyId } = whoOf(request);
  await audit(pool, { ...entry, who: name, keyId });
}
