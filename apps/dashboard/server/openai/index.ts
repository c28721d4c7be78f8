import type { App } from '../app.js';
import { BatchKeeper } from './batches/batch-keeper.js';
import { batchRoutes } from './batches/routes.js';
import { answerErrors } from './errors.js';
import { fileRoutes } from './files/routes.js';
import { modelRoutes, type OpenaiOptions } from './models.js';
import { moderationRoutes } from './moderation-routes.js';

export type { OpenaiOptions } from './models.js';

/**
 * The OpenAI-compatible routes. Register them with the prefix `/v1`, after the authentication hooks and the multipart parser.
 * While the server runs, it also processes batches, as any process on this database does.
 * @example
 * await app.register(openaiRoutes, { prefix: '/v1', pool, guards: guards.all, submit, uploadBytes: 512 * MB });
 */
export async function openaiRoutes(app: App, options: OpenaiOptions): Promise<void> {
  answerErrors(app);
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  const keeper = new BatchKeeper({ ...options, log: app.log });
  app.addHook('onReady', async () => keeper.start());
  // Before the pool and the guards are closed.
  app.addHook('preClose', () => keeper.close());
  modelRoutes(app, options);
  moderationRoutes(app, options);
  fileRoutes(app, options);
  batchRoutes(app, options, keeper);
}
