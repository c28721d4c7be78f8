import type { Message } from '@tocsin/store';
import { Webhook } from 'standardwebhooks';

/**
 * The headers that Standard Webhooks puts on a message. Who receives it checks the signature, the age of the timestamp,
 * and whether the id is one that was there before.
 * @param at when it is sent: another time at every attempt
 */
export function signatureHeaders(
  { id, body }: Message,
  secrets: readonly string[],
  at: Date,
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}
