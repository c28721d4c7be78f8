import { messageOf } from '@tocsin/core';
import { inspectRedis, type RedisFacts } from '@tocsin/queue';
import type { Check } from '../checkup.js';
import { type Finding, note, ok, problem } from '../finding.js';
import { hintOf } from './hint-of.js';

const SUBJECT = 'queue';

/** The server that REDIS_URL names. */
export const queueCheck: Check = {
  subject: SUBJECT,
  look: async ({ env }) => {
    if (!env.REDIS_URL) return [ok(SUBJECT, 'in Postgres (REDIS_URL is unset)')];
    try {
      return [judgeRedis(await inspectRedis(env.REDIS_URL))];
    } catch (error) {
      return [problem(SUBJECT, messageOf(error), hintOf(error, 'Check REDIS_URL.'))];
    }
  },
};

export function judgeRedis({ server, evictionPolicy, persistent }: RedisFacts): Finding {
  if (evictionPolicy !== 'noeviction') {
    return problem(
      SUBJECT,
      `${server} drops keys when it is full (maxmemory-policy ${evictionPolicy})`,
      'A queue needs noeviction: redis-cli config set maxmemory-policy noeviction, and in its configuration.',
    );
  }
  if (!persistent) {
    return note(
      SUBJECT,
      `${server}, noeviction; it keeps nothing over a restart, as far as it says`,
      'No work is lost (Postgres has it), but it takes a while until it is queued again: set appendonly yes.',
    );
  }
  return ok(SUBJECT, `${server}, noeviction, keeps its queue over a restart`);
}
