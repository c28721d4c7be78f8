import { Guard } from '@tocsin/engine';
import { messageOf } from '@tocsin/errors';
import type { Check } from '../checkup.js';
import { ok, problem } from '../finding.js';
import { hintOf } from './hint-of.js';

const SUBJECT = 'guard';

/** Only when one is named: opens it, which fetches and prepares what is missing, and loads it. */
export const guardCheck: Check = {
  subject: SUBJECT,
  look: async ({ guard: asked, cacheDir }) => {
    if (asked === undefined) return [];
    const { ref, ...options } = asked;
    try {
      const started = performance.now();
      const guard = await Guard.fromPretrained(ref, { ...options, cacheDir });
      const { task, precision, device, fingerprint } = guard.info;
      await guard.close();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      return [
        ok(
          SUBJECT,
          `${ref} loads in ${seconds} s: ${task}, ${precision} on ${device}, fingerprint ${fingerprint.slice(0, 12)}`,
        ),
      ];
    } catch (error) {
      return [problem(SUBJECT, `${ref}: ${messageOf(error)}`, hintOf(error, 'See the other findings.'))];
    }
  },
};
