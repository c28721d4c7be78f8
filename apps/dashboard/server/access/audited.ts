import type { Pool } from '@tocsin/postgres';
import { type AuditEntry, audit } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { whoOf } from './who.js';

/** What was done; by whom, the request says. Never a text of a row. */
export type Deed = Omit<AuditEntry, 'who' | 'keyId'>;

/** Writes down what who asks does. A read is written before it is answered, a change when it is done. */
export async function audited(pool: Pool, request: FastifyRequest, deed: Deed): Promise<void> {
  const { name, keyId } = whoOf(request);
  await audit(pool, { ...deed, who: name, keyId });
}
