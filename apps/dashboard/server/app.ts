import type { Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import type { Telemetry } from '@tocsin/telemetry';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Credentials, WrongKeys } from './access/credentials.js';
import type { LiveAnswers } from './access/live-answers.js';
import type { ServedGuards } from './guards/served-guards.js';
import type { Limits } from './limits.js';
import type { RunFeeds } from './runs/run-feed.js';
import type { Submissions } from './runs/submissions.js';
import type { Streams } from './scoring/streams.js';

/** The Fastify server, with zod schemas for its routes. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Dependencies of the routes. */
export interface Services {
  pool: Pool;
  backend: QueueBackend;
  telemetry: Telemetry;
  log: FastifyBaseLogger;
  version: string;
  limits: Limits;
  guards: ServedGuards;
  submit: Submit;
  submissions: Submissions;
  feeds: RunFeeds;
  streams: Streams;
  schedules: ScheduleRules;
  credentials: Credentials;
  /** Whether any key exists. */
  anyKey: () => Promise<boolean>;
  live: LiveAnswers;
  wrongKeys: WrongKeys;
}

/** Options for schedules. */
export interface ScheduleRules {
  /** Directories that schedules created through the API may read. Without any, the API cannot create schedules. */
  corpusRoots: readonly string[];
  /** Webhooks may use http and private addresses. */
  allowPrivateWebhooks: boolean;
}
