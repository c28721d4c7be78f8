import { existsSync } from 'node:fs';
import { messageOf } from '@tocsin/core';
import { findPip, starterBackboneFile } from '@tocsin/models';
import type { Check } from '../checkup.js';
import { note, ok } from '../finding.js';

const SUBJECT = 'starter guard';

/** Its backbone comes as a Python package: pip is needed once. */
export const pipCheck: Check = {
  subject: SUBJECT,
  look: async ({ env, cacheDir }) => {
    if (existsSync(starterBackboneFile({ env, cacheDir }))) {
      return [ok(SUBJECT, 'its backbone is in the cache')];
    }
    try {
      const { command, args } = await findPip(env);
      return [ok(SUBJECT, `not fetched yet; ${[command, ...args].join(' ')} is there to fetch it`)];
    } catch (error) {
      return [
        note(
          SUBJECT,
          `not fetched, and ${messageOf(error)}`,
          'Install Python with pip (or name one with TOCSIN_PYTHON), or use another guard.',
        ),
      ];
    }
  },
};
