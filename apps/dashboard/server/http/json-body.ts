import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import { ApiError } from './api-error.js';
import type { BodyRoom } from './body-room.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The raw JSON body: `JSON.parse` would lose the spelling of numbers. */
    jsonText: string | undefined;
  }
}

type Done = (error: Error | null, body?: unknown) => void;

export interface JsonBodyOptions {
  /** Maximum nesting depth of arrays and objects. */
  maxDepth: number;
  room: BodyRoom;
  /** Called when the body's turn comes. @throws ApiError or BusyError when it need not be parsed any more */
  beforeParsing: (request: FastifyRequest) => void;
}

/** Reads JSON bodies: strict UTF-8, bounded depth, no `__proto__`. */
export function readJsonBodies(app: App, { maxDepth, room, beforeParsing }: JsonBodyOptions): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.decorateRequest('jsonText', undefined);
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const turn = room.turn(body.length);
    if (turn === undefined) read(request, body, done);
    else void turn.then(() => read(request, body, done));
  });

  function read(request: FastifyRequest, body: string | Buffer, done: Done): void {
    // The client has disconnected: pass the turn on.
    if (request.raw.socket.destroyed) {
      done(new ApiError(400, 'the client has gone'));
      return;
    }
    try {
      beforeParsing(request);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (!Buffer.isBuffer(body) || !isUtf8(body)) {
      done(new ApiError(400, 'the body is not UTF-8'));
      return;
    }
    // Some clients send a content type without a body, mostly with DELETE.
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    const text = body.toString('utf8');
    if (isDeeper(text, maxDepth)) {
      done(new ApiError(400, `arrays and objects of the body are nested more than ${maxDepth} deep`));
      return;
    }
    request.jsonText = text;
    void parse(request, text, done);
  }
}

/** Whether brackets outside strings nest deeper than `depth`. The input need not be valid JSON. */
export function isDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (quoted) {
      if (char === BACKSLASH) at += 1;
      else if (char === QUOTE) quoted = false;
    } else if (char === QUOTE) quoted = true;
    else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) depth -= 1;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The elements of a JSON array as raw text: `JSON.parse` rounds numbers and reorders keys.
 * @param json a valid JSON array
 */
export function elementsOf(json: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') at = endOfString(json, at);
    else if (char === '[' || char === '{') {
      depth += 1;
      if (depth === 1) from = at + 1;
    } else if (char === ']' || char === '}') depth -= 1;
    const ends = (depth === 1 && char === ',') || depth === 0;
    if (ends && at >= from && json.slice(from, at).trim() !== '') elements.push(json.slice(from, at).trim());
    if (ends) from = at + 1;
  }
  return elements;
}

/** Index of the closing quote of the string that starts at this index. */
function endOfString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
