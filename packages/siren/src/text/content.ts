import { createHash } from 'node:crypto';
import { UserError } from '@tocsin/core';
import { joinPromptResponse } from './clean-text.js';

/** What a content guard scores: a text, or a prompt and/or the response to it. */
export type ContentInput =
  | { text: string; prompt?: undefined; response?: undefined }
  | { text?: undefined; prompt?: string | null; response?: string | null };

/**
 * The one text of an input, by the reference's rules (llm-siren `SirenGuard.score`).
 * @throws UserError when `text` comes with `prompt`/`response`, when all are absent, or when one is not a string
 */
export function textOf(input: ContentInput): string {
  if (typeof input !== 'object' || input === null) {
    throw new UserError(`expected an object with text, or with prompt and/or response, got ${kindOf(input)}`);
  }
  const text = stringOrNothing(input.text, 'text');
  const prompt = stringOrNothing(input.prompt, 'prompt');
  const response = stringOrNothing(input.response, 'response');
  if (text !== undefined && (prompt !== undefined || response !== undefined)) {
    throw new UserError('text and prompt/response were given together; give one or the other');
  }
  if (text !== undefined) return text;
  if (prompt === undefined && response === undefined) {
    throw new UserError('nothing to score: give text, or at least one of prompt and response');
  }
  return joinPromptResponse(prompt, response);
}

function stringOrNothing(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new UserError(`${field} must be a string, got ${kindOf(value)}`);
  // Tokenizers do not define unpaired surrogates, and the reference fails on them.
  if (!value.isWellFormed())
    throw new UserError(`${field} contains an unpaired surrogate (half of a character)`);
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/**
 * The identity of a content: sha256 (32 bytes) of the model's exact token ids as little-endian 32-bit integers. Texts
 * with the same ids are the same content and have the same score.
 */
export function contentHash(tokenIds: Int32Array): Buffer {
  return createHash('sha256').update(bytesOfTokenIds(tokenIds)).digest();
}

/** Token ids as little-endian bytes, 4 per id, as hashed and stored in parcels. Shares the memory. */
export function bytesOfTokenIds(tokenIds: Int32Array): Buffer {
  // Every platform that onnxruntime-node ships for is little-endian.
  return Buffer.from(tokenIds.buffer, tokenIds.byteOffset, tokenIds.byteLength);
}

/** The inverse of `bytesOfTokenIds`. Copies, since a pooled Buffer need not be aligned. */
export function tokenIdsOfBytes(bytes: Uint8Array): Int32Array {
  if (bytes.byteLength % 4 !== 0) {
    throw new RangeError(`token ids take 4 bytes each, got ${bytes.byteLength} bytes`);
  }
  return new Int32Array(Uint8Array.from(bytes).buffer);
}
