import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isUserError, messageOf, UserError } from '@tocsin/core';
import type { Message } from '@tocsin/store';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { messageOf as newMessage } from '../messages.js';
import { readSecrets } from './secrets.js';
import { parseWebhookUrl, requirePublic, type WebhookRules } from './webhook-url.js';

const SECOND = 1000;
/** From the first look at the name to the answer. */
const TIMEOUT_MS = 15 * SECOND;

/** What one attempt came to. */
export type Sent =
  | { kind: 'delivered'; status: number }
  /** The receiver wants no more of these (410). */
  | { kind: 'gone'; status: number }
  /** It is not called at all. */
  | { kind: 'refused'; reason: string; hint: string | undefined }
  | { kind: 'failed'; status: number | null; reason: string; retryAfterSeconds?: number };

export interface SendOptions extends WebhookRules {
  url: string;
  secrets: readonly string[];
  signal?: AbortSignal;
  /** Resolves names; the system's resolver by default. */
  resolve?: (hostname: string) => Promise<LookupAddress[]>;
}

/**
 * Posts a message, once. The name is resolved once, every address that it has must be public, and the connection goes to
 * these: a name that answers differently a moment later is not asked again. No proxy is used, no redirect followed, and
 * nothing of the answer's body is read.
 */
export async function sendMessage(message: Message, options: SendOptions): Promise<Sent> {
  const { url: text, secrets, signal } = options;
  // Not the pool of the process: no connection is used by two messages, and each name is looked up anew.
  const agent = new Agent({
    connect: { lookup: checkedLookup(options), timeout: TIMEOUT_MS },
    connections: 1,
  });
  try {
    const url = parseWebhookUrl(text, options);
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      dispatcher: agent,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Tocsin-Webhooks/1',
        ...signatureHeaders(message, secrets, new Date()),
      },
      body: message.body,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    // That the body is broken off is an error of the body, and of nothing else.
    body.on('error', () => {}).destroy();
    return outcomeOf(statusCode, headers['retry-after']);
  } catch (error) {
    const refusal = refusalIn(error);
    if (refusal !== undefined) return { kind: 'refused', reason: refusal.message, hint: refusal.hint };
    const late = error instanceof Error && error.name === 'TimeoutError';
    const reason = late ? `no answer within ${TIMEOUT_MS / SECOND} s` : messageOf(error);
    return { kind: 'failed', status: null, reason };
  } finally {
    await agent.destroy();
  }
}

function outcomeOf(status: number, retryAfter: string | string[] | undefined): Sent {
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'gone', status };
  const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  const wait = secondsOf(retryAfter);
  return {
    kind: 'failed',
    status,
    reason: `the answer was ${status}${redirect}`,
    retryAfterSeconds: wait,
  };
}

/** Retry-After: seconds, or a date. */
function secondsOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / SECOND);
}

function checkedLookup({ allowPrivate, resolve = resolveAll }: SendOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname).then(
      (addresses) => {
        try {
          if (!allowPrivate) for (const { address } of addresses) requirePublic(hostname, address);
        } catch (error) {
          callback(error as NodeJS.ErrnoException, []);
          return;
        }
        const [first] = addresses;
        if (all === true || first === undefined) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}

function refusalIn(error: unknown): UserError | undefined {
  if (isUserError(error)) return error;
  if (error instanceof AggregateError) return error.errors.find(isUserError);
  return error instanceof Error && error.cause !== undefined ? refusalIn(error.cause) : undefined;
}

/**
 * The headers that Standard Webhooks puts on a message. Who receives it checks the signature, the age of the timestamp,
 * and whether the id is one that was there before.
 * @param at when it is sent: another time at every attempt
 */
function signatureHeaders(
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
  const message = newMessage(
    { schedule: name, dueAt: new Date(), cause: 'hand' },
    { type: 'test', data: {} },
  );
  return sendMessage(message, { url, secrets: readSecrets(env, variable), allowPrivate });
}
