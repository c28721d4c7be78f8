import { z } from 'zod';
import type { App } from '../app.js';

/** The OpenAPI document of all routes. */
export function documentRoute(app: App): void {
  let document: unknown;
  app.get(
    '/openapi.json',
    {
      config: { needs: 'nobody' },
      schema: { tags: ['reference'], summary: 'This document', response: { 200: z.any() } },
    },
    async () => {
      document ??= app.swagger();
      return document;
    },
  );
}
