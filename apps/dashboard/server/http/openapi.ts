import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rolesOf } from '../access/authenticate.js';
import { SESSION_COOKIE } from '../access/credentials.js';
import type { App } from '../app.js';
import { REFERENCE_CONTENT_SECURITY } from './page.js';

/** Path of the reference page. */
const REFERENCE = '/api/reference';

/** Generates the OpenAPI document of all routes added after this call, and serves a page for it. */
export async function describeApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tocsin',
        version,
        description:
          'Scores text for harm. `/v1` speaks as OpenAI does; `/api` is what there is beyond that.',
      },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'A key: tcs_...' },
          session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
        },
      },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      if (schema === undefined || schema.hide === true) return { schema, url };
      return { schema: { ...schema, ...accessOf(document.route.config?.needs) }, url };
    },
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, {
    routePrefix: REFERENCE,
    staticCSP: REFERENCE_CONTENT_SECURITY,
    theme: { title: 'Tocsin API' },
    // Hides the bar for loading other documents.
    uiConfig: {
      layout: 'BaseLayout',
      deepLinking: true,
      docExpansion: 'list',
      persistAuthorization: false,
      validatorUrl: null,
    },
  });
}

/** Access of a route, as text for the document. */
function accessOf(needs: FastifyContextConfig['needs']): Record<string, unknown> {
  if (needs === undefined || needs === 'nothing') return { 'x-roles': [], security: [] };
  const roles = rolesOf(needs);
  return {
    'x-roles': roles,
    description: `For keys of role ${roles.join(', ')}.`,
    security: [{ key: [] }, { session: [] }],
  };
}

/** The OpenAPI document of all routes. */
export function documentRoute(app: App): void {
  let document: unknown;
  app.get(
    '/openapi.json',
    {
      config: { needs: 'nothing' },
      schema: { tags: ['reference'], summary: 'This document', response: { 200: z.any() } },
    },
    async () => {
      document ??= app.swagger();
      return document;
    },
  );
}
