import { messageOf, UserError, within } from '@tocsin/core';
import type { FastifyInstance } from 'fastify';
import fastify from 'fastify';
import type { Metrics } from './metrics.js';

/** `/metrics`, `/healthz` and `/readyz` of one process. */
export class TelemetryServer {
  readonly url: string;
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance, url: string) {
    this.#app = app;
    this.url = url;
  }

  /** @throws UserError when it cannot listen there */
  static async listen(at: ListenAt, metrics: Metrics, readiness: Readiness): Promise<TelemetryServer> {
    const { port, host = DEFAULT_METRICS_HOST } = at;
    const app = fastify({ logger: false, forceCloseConnections: true });
    app.get('/metrics', async (_, reply) => {
      metrics.gauge('ready').set(Object.keys(await readiness.reasons()).length === 0 ? 1 : 0);
      return reply.type(metrics.contentType).send(await metrics.text());
    });
    // Answering is the check: a blocked event loop does not answer, and the probe times out.
    app.get('/healthz', async () => ({ status: 'alive' }));
    app.get('/readyz', async (_, reply) => {
      const reasons = await readiness.reasons();
      const ready = Object.keys(reasons).length === 0;
      return reply
        .code(ready ? 200 : 503)
        .send(ready ? { status: 'ready' } : { status: 'not ready', reasons });
    });
    try {
      return new TelemetryServer(app, await app.listen({ port, host }));
    } catch (cause) {
      throw new UserError(`cannot serve metrics at ${host}:${port}: ${messageOf(cause)}`, {
        hint: 'Choose another --metrics-port or --metrics-host (TOCSIN_METRICS_PORT, TOCSIN_METRICS_HOST).',
        cause,
      });
    }
  }

  close(): Promise<void> {
    return this.#app.close();
  }
}

/** Checks one thing that a process needs. @throws with the reason when it is unavailable */
export type Check = () => Promise<void>;

const KEPT_MS = 1_000;
const LONGEST_MS = 2_000;

/** Whether a process can take work, and if not, why. */
export class Readiness {
  readonly #checks = new Map<string, Check>();
  readonly #notYet = new Map<string, string>();
  #answer: Promise<Record<string, string>> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** Adds a check that runs when readiness is read, at most once a second. */
  check(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** Not ready until `clear(name)`. */
  hold(name: string, reason: string): void {
    this.#notYet.set(name, reason);
  }

  clear(name: string): void {
    this.#notYet.delete(name);
  }

  /** @returns the reasons for not being ready, by check; empty when ready */
  async reasons(): Promise<Record<string, string>> {
    const now = performance.now();
    if (this.#answer === undefined || now - this.#askedAt >= KEPT_MS) {
      this.#askedAt = now;
      this.#answer = this.#look();
    }
    return { ...(await this.#answer), ...Object.fromEntries(this.#notYet) };
  }

  async #look(): Promise<Record<string, string>> {
    const looked = await Promise.all(
      [...this.#checks].map(async ([name, check]): Promise<[string, string][]> => {
        try {
          await within(LONGEST_MS, check());
          return [];
        } catch (error) {
          return [[name, messageOf(error)]];
        }
      }),
    );
    return Object.fromEntries(looked.flat());
  }
}

/** Metrics are served only to this machine by default. */
export const DEFAULT_METRICS_HOST = '127.0.0.1';

/** Address of the metrics server. */
export interface ListenAt {
  /** 0 picks a free port. */
  port: number;
  /** Default DEFAULT_METRICS_HOST. */
  host?: string;
}
