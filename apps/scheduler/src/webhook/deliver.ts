import type { LookupAddress } from 'node:dns';
import { isUserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { type Attempt, closeWebhook, type DeliveryRow, noteAttempt, takeDelivery } from '@tocsin/store';
import type { Logger } from 'pino';
import type { ScheduleMeasures } from '../messages.js';
import { readSecrets, type Sent, sendMessage } from './send.js';
import { shownUrl, type WebhookRules } from './webhook-url.js';

export interface DeliverOptions extends WebhookRules {
  pool: Pool;
  log: Logger;
  /** Environment with the secrets. */
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  measures: ScheduleMeasures;
  resolve?: (hostname: string) => Promise<LookupAddress[]>;
  /** Seconds until the next attempt; undefined after the last one. */
  waitAfter?: (attempts: number, retryAfterSeconds?: number) => number | undefined;
}

/** Lease of a delivery: longer than an attempt takes. */
const HOLD_SECONDS = 30;

const STOPPED: Attempt = {
  state: 'pending',
  status: null,
  error: 'the process was stopped during the attempt',
  waitSeconds: 0,
};

/** Attempts each due delivery once. @returns how many */
export async function deliverDue(options: DeliverOptions): Promise<number> {
  for (let attempts = 0; ; attempts++) {
    if (options.signal.aborted) return attempts;
    const delivery = await takeDelivery(options.pool, HOLD_SECONDS);
    if (delivery === undefined) return attempts;
    await attempt(delivery, options);
  }
}

async function attempt(delivery: DeliveryRow, options: DeliverOptions): Promise<void> {
  const { pool, log, signal, measures } = options;
  const sent = await send(delivery, options);
  // Aborted during an attempt that may have arrived. Another process repeats it immediately with the same id.
  const outcome = signal.aborted && sent.kind === 'failed' ? STOPPED : outcomeOf(delivery, sent, options);
  if (sent.kind === 'gone') await closeWebhook(pool, delivery.scheduleId, outcome.error ?? 'gone');
  await noteAttempt(pool, delivery.id, outcome);
  measures.onDelivery(outcome.state === 'pending' ? 'retried' : outcome.state);
  const entry = {
    delivery: delivery.id,
    schedule: delivery.schedule,
    webhook: delivery.webhookUrl === null ? null : shownUrl(delivery.webhookUrl),
    attempt: delivery.attempts,
    ...outcome,
  };
  if (outcome.state === 'delivered') log.info(entry, 'summary delivered');
  else if (outcome.state === 'pending') log.warn(entry, 'summary not delivered; trying again');
  else log.error(entry, 'summary not delivered');
}

async function send(delivery: DeliveryRow, options: DeliverOptions): Promise<Sent> {
  const { webhookUrl: url, webhookSecretEnv: name, webhookClosed } = delivery;
  if (webhookClosed !== null) return { kind: 'refused', reason: webhookClosed, hint: undefined };
  if (url === null || name === null) {
    return { kind: 'refused', reason: 'the schedule has no webhook', hint: undefined };
  }
  try {
    return await sendMessage(delivery, {
      url,
      secrets: readSecrets(options.env, name),
      allowPrivate: options.allowPrivate,
      signal: options.signal,
      resolve: options.resolve,
    });
  } catch (error) {
    // A missing secret may be present after a restart.
    if (isUserError(error)) return { kind: 'failed', status: null, reason: error.message };
    throw error;
  }
}

function outcomeOf(delivery: DeliveryRow, sent: Sent, options: DeliverOptions): Attempt {
  switch (sent.kind) {
    case 'delivered':
      return { state: 'delivered', status: sent.status, error: null };
    case 'gone':
      return {
        state: 'failed',
        status: sent.status,
        error: 'the receiver answered 410 (gone): the webhook is closed',
      };
    case 'refused':
      return { state: 'failed', status: null, error: sent.reason };
    case 'failed': {
      const wait = (options.waitAfter ?? waitAfter)(delivery.attempts, sent.retryAfterSeconds);
      if (wait !== undefined) {
        return { state: 'pending', status: sent.status, error: sent.reason, waitSeconds: wait };
      }
      return {
        state: 'failed',
        status: sent.status,
        error: `${sent.reason}; gave up after ${MAX_ATTEMPTS} attempts`,
      };
    }
  }
}

const SECOND = 1;
const HOUR = 3600 * SECOND;

/** Attempts per delivery, over about 16 hours. */
export const MAX_ATTEMPTS = 12;
const FIRST_WAIT = 5 * SECOND;
const FACTOR = 3;
const LONGEST_WAIT = 4 * HOUR;
/** Jitter, so that retries are spread out. */
const JITTER = 0.2;

/**
 * Seconds until the next attempt: 5 s, 15 s, 45 s ... 4 h, with 20 % jitter. A longer Retry-After is respected, up to 4 h.
 * @param attempts made so far, from 1
 * @returns undefined after the last attempt
 */
export function waitAfter(
  attempts: number,
  retryAfterSeconds = 0,
  random: () => number = Math.random,
): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const wait = Math.min(FIRST_WAIT * FACTOR ** (attempts - 1), LONGEST_WAIT);
  const jittered = wait * (1 + JITTER * (2 * random() - 1));
  return Math.max(jittered, Math.min(retryAfterSeconds, LONGEST_WAIT));
}
