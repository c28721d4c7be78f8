import { messageOf, redactUrls } from '@tocsin/core';
import { type HubSettings, hubSettings, reachHub } from '@tocsin/models';
import type { Check } from '../checkup.js';
import { type Finding, note, ok } from '../finding.js';
import { hintOf } from './hint-of.js';

const SUBJECT = 'model hub';
const PATIENCE_MS = 15_000;

/** The model hub: reachable, and what it makes of the token. Guards on disk and the starter do without it. */
export const hubCheck: Check = {
  subject: SUBJECT,
  look: async ({ env }) => {
    let settings: HubSettings;
    try {
      settings = await hubSettings(env);
    } catch (error) {
      return [note(SUBJECT, messageOf(error), hintOf(error, 'Mend the setting.'))];
    }
    if (settings.offline !== undefined) {
      return [
        note(
          SUBJECT,
          `not asked: ${settings.offline} is set`,
          'Unset it to fetch guards that are not cached.',
        ),
      ];
    }
    return [await reach(settings)];
  },
};

async function reach(settings: HubSettings): Promise<Finding> {
  const where = redactUrls(settings.endpoint);
  try {
    const token = await reachHub(settings, AbortSignal.timeout(PATIENCE_MS));
    const from = settings.token?.from ?? '';
    if (token === 'refused') {
      return note(
        SUBJECT,
        `${where} answers, and refuses the token of ${from}`,
        'Make another token on the hub, or take it away: public guards need none.',
      );
    }
    const tokenText = {
      none: 'no token (only gated backbones such as Llama need one: HF_TOKEN)',
      accepted: `token of ${from} is accepted`,
      unknown: `token of ${from}, which this mirror does not check`,
    }[token];
    return ok(SUBJECT, `${where} answers; ${tokenText}`);
  } catch (error) {
    return note(
      SUBJECT,
      `${where} does not answer: ${redactUrls(messageOf(error))}`,
      'Needed for guards by name only. Check the network, HTTPS_PROXY and HF_ENDPOINT; the starter guard and local directories need no hub.',
    );
  }
}
