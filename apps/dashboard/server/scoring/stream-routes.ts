import {
  newStream,
  type StreamChunk,
  stream,
  streamChunk,
  streamParams,
  streamScore,
} from '@tocsin/contract';
import type { StreamPiece } from '@tocsin/engine';
import { z } from 'zod';
import { clientOf, whoOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import { ApiError } from '../http/api-error.js';
import { untilGone } from '../http/connections.js';
import { judgementOf } from '../policies/judgement.js';

/** Items that arrive piece by piece; each push costs only its own tokens. */
export function streamRoutes(app: App, services: Services): void {
  const { streams } = services;

  app.post(
    '/streams',
    {
      config: { needs: 'score' },
      schema: { tags: ['scoring'], summary: 'Begin a stream', body: newStream, response: { 201: stream } },
    },
    async (request, reply) => {
      const { prompt, tools } = request.body;
      const { guard, threshold, policy } = await judgementOf(services, request.body);
      streams.requireRoom(whoOf(request).keyId);
      const prefixes = await guard.prefixes();
      const pieces = () => prefixes.stream({ threshold, prompt, tools });
      const judged = { guard: guard.name, threshold, policy };
      const { prefixGate: gate } = guard;
      const begun = streams.begin({ pieces, gate, judged, keyId: whoOf(request).keyId });
      return reply.code(201).send(begun.answer);
    },
  );

  app.post(
    '/streams/:id/chunks',
    {
      config: { needs: 'score', interactive: true },
      schema: {
        tags: ['scoring'],
        summary: 'Push a piece: the score of all so far',
        params: streamParams,
        body: streamChunk,
        response: { 200: streamScore },
      },
    },
    async (request, reply) => {
      const open = streams.get(request.params.id, whoOf(request).keyId);
      return open.push(pieceOf(request.body), { client: clientOf(request), signal: untilGone(reply) });
    },
  );

  app.get(
    '/streams/:id/events',
    {
      config: { needs: 'score', events: true },
      schema: {
        tags: ['scoring'],
        summary: 'Server-sent events: `score` after each push, `end` at the end',
        params: streamParams,
        response: { 200: { content: { 'text/event-stream': { schema: streamScore } } } },
      },
    },
    async (request, reply) => {
      const open = streams.get(request.params.id, whoOf(request).keyId);
      await open.events.join(request, reply);
    },
  );

  app.delete(
    '/streams/:id',
    {
      config: { needs: 'score' },
      schema: {
        tags: ['scoring'],
        summary: 'End a stream',
        params: streamParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await streams.get(request.params.id, whoOf(request).keyId).end('deleted');
      return reply.code(204).send();
    },
  );
}

function pieceOf({ chunk, messages }: StreamChunk): StreamPiece {
  if (chunk !== undefined && messages === undefined) return chunk;
  if (messages !== undefined && chunk === undefined) return messages;
  throw new ApiError(400, 'one of chunk and messages was expected', { field: 'chunk' });
}
