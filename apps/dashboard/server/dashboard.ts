import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import { Loop } from '@tocsin/core';
import { Admission, type Submit, submitRun } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import { forgetSessions, prepareRuns } from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import fastify, { type FastifyBaseLogger, type FastifyRequest, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { authenticate } from './access/authenticate.js';
import { anyKeyOf, Credentials, WrongKeys } from './access/credentials.js';
import { LiveAnswers } from './access/live-answers.js';
import { clientOf } from './access/who.js';
import type { App, ScheduleRules } from './app.js';
import { type GuardOffer, ServedGuards } from './guards/served-guards.js';
import { answerErrors, sendError, toApiError } from './http/answer-errors.js';
import { ApiError } from './http/api-error.js';
import { BodyRoom, boundBodies } from './http/body-room.js';
import { boundConnections } from './http/connections.js';
import { readJsonBodies } from './http/json-body.js';
import { loggedError, withoutSecrets } from './http/log.js';
import { describeApi } from './http/openapi.js';
import { BUILT_PAGE, sendSecurityHeaders, servePage } from './http/page.js';
import { boundRequests } from './http/slots.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { addRoutes } from './routes.js';
import { RunFeeds } from './runs/run-feed.js';
import { Submissions } from './runs/submissions.js';
import { sweepUploads } from './runs/uploads.js';
import { Streams } from './scoring/streams.js';

export interface DashboardOptions {
  /** Pool of a migrated database. */
  pool: Pool;
  backend: QueueBackend;
  telemetry: Telemetry;
  log: FastifyBaseLogger;
  version: string;
  /** Served guards; the first is the default. */
  guards: readonly GuardOffer[];
  schedules: ScheduleRules;
  /** Overrides of `DEFAULT_LIMITS`. */
  limits?: Partial<Limits>;
  /** Addresses of proxies whose `X-Forwarded-*` headers are trusted. */
  trustProxy?: string[];
  /** Directory of the built page; defaults to this package's. */
  page?: string;
}

/**
 * Creates the server: the native API, the OpenAI-compatible API and the page. It does not listen yet. Closing it closes all
 * it opened; the pool and the telemetry belong to the caller.
 * @example
 * const app = await createDashboard({ pool, backend, telemetry, log, version, guards: [{ guard }], schedules });
 * await app.listen({ port: 8080, host: '127.0.0.1' });
 */
export async function createDashboard(options: DashboardOptions): Promise<App> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { pool, backend, telemetry, version, schedules } = options;
  const submit: Submit = (submission) => submitRun({ pool, backend, telemetry }, submission);
  const log = withoutSecrets(options.log);
  const onError = (error: Error): void => log.warn(loggedError(error), 'a connection failed; trying again');
  const { onExpress: onAnswer } = telemetry.metrics;
  const admission = new Admission({
    items: limits.pendingItems,
    tokens: limits.pendingTokens,
    clientItems: limits.pendingItemsPerKey,
    clientTokens: limits.pendingTokensPerKey,
  });
  const room = new BodyRoom(limits);
  const app = newApp(options, limits, room, admission);
  const guards = await ServedGuards.open(
    options.guards.map((offer) => ({ ...offer, pool, backend, admission, onError, onAnswer })),
  );
  const submissions = new Submissions({
    pool,
    submit,
    log,
    rowsPerKey: limits.rowsPerKey,
    perKey: limits.submissionsPerKey,
  });
  const streams = new Streams(limits);
  const feeds = new RunFeeds(pool, log);
  const preparer = startPreparer(pool, log);
  const anyKey = anyKeyOf(pool);
  const live = new LiveAnswers(pool, anyKey, log);
  app.addHook('preClose', async () => {
    await live.close();
    feeds.close();
    await streams.close();
  });
  app.addHook('onClose', async () => {
    await preparer.close();
    await submissions.close();
    await guards.close();
  });
  try {
    await sendSecurityHeaders(app);
    await app.register(cookie);
    await app.register(multipart, { throwFileSizeLimit: true });
    await app.register(rateLimit, {
      max: limits.requestsPerMinute,
      timeWindow: '1 minute',
      keyGenerator: ({ who, ip }) => who?.keyId ?? ip,
      errorResponseBuilder: (_, { ttl }) =>
        new ApiError(429, 'too many requests', { retryAfter: Math.ceil(ttl / 1000) }),
    });
    await describeApi(app, version);
    await servePage(app, options.page ?? BUILT_PAGE);
    const wrongKeys = new WrongKeys(limits.wrongKeysPerMinute);
    const credentials = new Credentials(pool);
    const services = {
      pool,
      backend,
      telemetry,
      log,
      version,
      limits,
      guards,
      submit,
      submissions,
      streams,
      feeds,
      schedules,
      wrongKeys,
      credentials,
      anyKey,
      live,
    };
    await app.register(async (api) => {
      authenticate(api, services);
      refuseWhenBusy(api, admission);
      boundRequests(api, limits);
      boundBodies(api, room);
      await addRoutes(api, services);
    });
    await sweepUploads(log);
    await app.ready();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs a forward pass: it is refused while too many interactive requests are pending. */
    interactive?: boolean;
  }
}

/**
 * Requests without a route need no key, so their bodies are not read. Without these headers Fastify goes straight to the
 * not-found handler of the prefix, and Node discards the rest of the body.
 */
function ignoreStrayBodies(app: App): void {
  app.addHook('onRequest', async (request) => {
    if (!request.is404) return;
    for (const name of ['content-type', 'content-length', 'transfer-encoding'])
      delete request.raw.headers[name];
  });
}

/** Checked before a body is read and again before it is parsed, so that a flood costs little more than its headers. */
function refuseWhenBusy(api: App, admission: Admission): void {
  api.addHook('onRequest', async (request) => requireRoom(request, admission));
}

function requireRoom(request: FastifyRequest, admission: Admission): void {
  if (request.routeOptions.config.interactive === true) admission.requireRoom(clientOf(request));
}

function newApp(
  { log, trustProxy }: DashboardOptions,
  limits: Limits,
  room: BodyRoom,
  admission: Admission,
): App {
  const app = fastify({
    loggerInstance: withoutSecrets(log),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: true,
    http: { headersTimeout: 20_000, connectionsCheckingInterval: 5_000 },
    trustProxy,
    // A malformed URL matches no route.
    frameworkErrors: (error, _, reply) => sendError(reply, toApiError(error)),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const beforeParsing = (request: FastifyRequest): void => requireRoom(request, admission);
  readJsonBodies(app, { maxDepth: limits.jsonDepth, room, beforeParsing });
  answerErrors(app);
  logRequests(app);
  boundConnections(app, limits);
  ignoreStrayBodies(app);
  return app;
}

const EVERY_MS = 10_000;

/** Prepares finished runs (ranks, full-text search) ahead of their first view, and deletes expired sessions. */
export function startPreparer(pool: Pool, log: FastifyBaseLogger, everyMs = EVERY_MS): Loop {
  const work = async (signal: AbortSignal): Promise<void> => {
    await forgetSessions(pool);
    await prepareRuns(pool, signal);
  };
  return new Loop(work, {
    everyMs,
    pauseFirst: true,
    // The next round is soon, and an unprepared run is prepared when it is opened.
    onError: (error) => log.warn(loggedError(error), 'runs could not be prepared'),
  });
}

/** One log line per request: route and caller, but no URL, which may contain search terms. */
function logRequests(app: App): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, who } = request;
    const { statusCode, elapsedTime } = reply;
    const looked = statusCode < 400 && (method === 'GET' || method === 'HEAD');
    request.log[looked ? 'debug' : 'info'](
      { method, route: routeOptions.url, status: statusCode, ms: Math.round(elapsedTime), who: who?.name },
      'request',
    );
  });
}
