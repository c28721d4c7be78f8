import fc from 'fast-check';
import type { FuzzStage } from './fuzz-stage.js';
import { SECRET } from './fuzz-stage.js';
import { type FuzzRequest, requestsOf } from './requests.js';
import type { FuzzAnswer } from './send.js';

export interface Fuzzed {
  /** Responses by status. */
  statuses: Record<number, number>;
}

/**
 * Sends generated requests one after another, and checks each response.
 * @throws Error with the seed and the smallest failing request
 */
export async function fuzz(
  stage: FuzzStage,
  { requests, seed }: { requests: number; seed: number },
): Promise<Fuzzed> {
  const statuses: Record<number, number> = {};
  await fc.assert(
    fc.asyncProperty(requestsOf(stage.document, stage.known), async (request) => {
      const answer = await stage.send(request);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const fault = faultOf(request, answer);
      if (fault !== undefined) throw new Error(`${fault}: ${answer.status} ${answer.text.slice(0, 500)}`);
    }),
    { numRuns: requests, seed, endOnFailure: false },
  );
  if (stage.log.includes(SECRET)) throw new Error('the log holds a text');
  return { statuses };
}

/** Checks that a response leaks no other key's text, is no internal error, and reveals no internals. */
function faultOf(
  { asker, method }: FuzzRequest,
  { status, text, type, body }: FuzzAnswer,
): string | undefined {
  if (status >= 500) return 'the server failed';
  if (status < 200) return 'there is no answer';
  const mayRead = asker === 'read' || asker === 'review' || asker === 'admin';
  if (!mayRead && text.includes(SECRET)) return 'the text of another key was answered';
  if (status >= 400) {
    if (/node_modules|\bat [\w.]+ \(|\/tmp\/tocsin/.test(body)) return 'the answer tells of the inside';
    if (method !== 'HEAD' && !/json/.test(type)) return 'the refusal is no JSON';
    if (method !== 'HEAD' && !isRefusal(body)) return 'the refusal has another shape';
  }
  return undefined;
}

function isRefusal(body: string): boolean {
  const { error } = JSON.parse(body) as { error?: { message?: unknown } };
  return typeof error?.message === 'string' && error.message !== '';
}
