import { z } from 'zod';
import type { App, Services } from '../app.js';

const tags = ['health'];

/** Health checks. */
export function healthRoutes(app: App, { telemetry }: Services): void {
  const { metrics, readiness } = telemetry;

  app.get(
    '/healthz',
    {
      config: { needs: 'nothing', rateLimit: false },
      schema: {
        tags,
        summary: 'Whether the process answers',
        response: { 200: z.object({ status: z.literal('alive') }) },
      },
    },
    async () => ({ status: 'alive' as const }),
  );

  // The reason may contain server names, so it only goes to the log and the metrics port.
  app.get(
    '/readyz',
    {
      config: { needs: 'nothing', rateLimit: false },
      schema: {
        tags,
        summary: 'Whether the process can take work',
        response: {
          200: z.object({ status: z.literal('ready') }),
          503: z.object({ status: z.literal('not ready') }),
        },
      },
    },
    async (_, reply) => {
      const ready = Object.keys(await readiness.reasons()).length === 0;
      if (ready) return { status: 'ready' as const };
      return reply.code(503).send({ status: 'not ready' as const });
    },
  );

  app.get(
    '/metrics',
    {
      config: { needs: 'oversee' },
      schema: {
        tags,
        summary: 'Metrics of this process, for Prometheus',
        response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}
