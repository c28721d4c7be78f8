import { messageOf, UserError } from '@tocsin/core';
import fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';
import type { Readiness } from './readiness.js';
import { DEFAULT_METRICS_HOST, type ListenAt } from './readiness.js';

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
