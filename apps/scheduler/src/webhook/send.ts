import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isUserError, messageOf, UserError } from '@tocsin/core';
import type { Message } from '@tocsin/store';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { messageOf as newMessage } from '../messages.js';
import { parseWebhookUrl, requirePublic, type WebhookRules } from './webhook-url.js';

const SECOND = 1000;
/** Timeout from name resolution to the response. */
const TIMEOUT_MS = 15 * SECOND;

/** The outcome of one attempt. */
export type Sent =
  | { kind: 'delivered'; status: number }
  /** The receiver has unsubscribed (410). */
  | { kind: 'gone'; status: number }
  /** The URL is not allowed. */
  | { kind: 'refused'; reason: string; hint: string | undefined }
  | { kind: 'failed'; status: number | null; reason: string; retryAfterSeconds?: number };

interface SendOptions extends WebhookRules {
  url: string;
  secrets: readonly string[];
  signal?: AbortSignal;
  /** Resolves names; defaults to the system's resolver. */
  resolve?: (hostname: string) => Promise<LookupAddress[]>;
}

/**
 * Posts a message once. The name is resolved once, all its addresses must be public, and the connection uses these addresses
 * only, which prevents DNS rebinding. No proxy is used, no redirect followed, and no response body read.
 */
export async function sendMessage(message: Message, options: SendOptions): Promise<Sent> {
  const { url: text, secrets, signal } = options;
  // A separate agent without connection reuse, so that each message resolves the name again.
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
    // Discarding the body emits an error on the body only.
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
    reason: `the receiver answered ${status}${redirect}`,
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
 * The Standard Webhooks headers of a message. Receivers check the signature, the age of the timestamp, and whether the id
 * is new.
 * @param at time of sending: differs at every attempt
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

/** The schedule and the environment with its secret. */
interface WebhookOfSchedule {
  name: string;
  webhookUrl: string | null;
  webhookSecretEnv: string | null;
}

/**
 * Sends a message of type `test` to a schedule's webhook from this process, once.
 * @param env environment with the secret
 * @throws UserError when the schedule has no webhook, or the environment lacks its secret
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

export const DEFAULT_SECRET_ENV = 'TOCSIN_WEBHOOK_SECRET';
const PREFIX = 'whsec_';
/** Required by Standard Webhooks. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const MAKE_HINT =
  'Create one: echo "whsec_$(openssl rand -base64 32)". Give it to the process that runs the schedules, and to the receiver.';

/**
 * Validates the name of the variable with a webhook's secret.
 * @throws UserError that does not repeat it: it may be the secret itself
 */
export function parseSecretEnv(name: string): string {
  if (/^[A-Z][A-Z0-9_]*$/.test(name) && !name.startsWith(PREFIX.toUpperCase())) return name;
  throw new UserError("expected the name of the environment variable with the webhook's secret", {
    hint: `Capital letters, digits and _: ${DEFAULT_SECRET_ENV}. The secret itself is not stored.`,
  });
}

/**
 * The signing secrets of a webhook: one, or several separated by spaces during rotation.
 * @throws UserError naming the variable and never its value
 */
export function readSecrets(env: NodeJS.ProcessEnv, name: string): string[] {
  const secrets = (env[name] ?? '').split(/\s+/).filter((secret) => secret !== '');
  if (secrets.length === 0) {
    throw new UserError(`${name}, the variable with the webhook's secret, is not set`, { hint: MAKE_HINT });
  }
  for (const secret of secrets) requireKey(secret, name);
  return secrets;
}

function requireKey(secret: string, name: string): void {
  const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const bytes = Buffer.from(base64, 'base64');
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  if (isBase64 && base64.length % 4 === 0 && bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES) return;
  throw new UserError(
    `${name} contains no webhook secret: expected whsec_ and ${MIN_BYTES} to ${MAX_BYTES} bytes in base64`,
    { hint: MAKE_HINT },
  );
}
