import type { Pool } from '@tocsin/postgres';
import { findRun, type Run } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { onlyOwner, whoOf } from '../access/who.js';
import { notFound } from '../http/api-error.js';

/**
 * A run that who asks may see.
 * @throws ApiError when there is none, or it is another key's: the two look the same
 */
export async function visibleRun(pool: Pool, request: FastifyRequest, runId: number): Promise<Run> {
  const run = await findRun(pool, runId);
  const owner = onlyOwner(whoOf(request));
  if (run !== undefined && (owner === undefined || run.ownerKey === owner)) return run;
  throw notFound(`run ${runId}`, 'Those that there are: GET /api/runs');
}
