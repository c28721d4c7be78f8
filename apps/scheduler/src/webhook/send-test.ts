import { UserError } from '@tocsin/core';
import { messageOf } from '../messages.js';
import { readSecrets } from './secrets.js';
import { type Sent, sendMessage } from './send.js';
import type { WebhookRules } from './webhook-url.js';

/** Whose webhook, and where its secret is. */
export interface WebhookOfSchedule {
  name: string;
  webhookUrl: string | null;
  webhookSecretEnv: string | null;
}

/**
 * Sends a message of type `test` to a schedule's webhook: from here and now, once.
 * @param env where the secret is looked for
 * @throws UserError when the schedule has no webhook, or the environment not its secret
 */
export function sendTest(
  { name, webhookUrl: url, webhookSecretEnv: variable }: WebhookOfSchedule,
  { allowPrivate }: WebhookRules,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Sent> {
  if (url === null || variable === null) {
    throw new UserError(`${name} has no webhook`, { hint: 'Remove it, and add it again with one.' });
  }
  const message = messageOf({ schedule: name, dueAt: new Date(), cause: 'hand' }, { type: 'test', data: {} });
  return sendMessage(message, { url, secrets: readSecrets(env, variable), allowPrivate });
}
