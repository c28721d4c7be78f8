import { UserError } from '@tocsin/core';
import { joinPromptResponse } from './clean-text.js';

/** What a content guard scores: a text, or a prompt and/or the response to it. */
export type ContentInput =
  | { text: string; prompt?: undefined; response?: undefined }
  | { text?: undefined; prompt?: string | null | undefined; response?: string | null | undefined };

/**
 * The one text of an input, by the reference's rules (llm-siren `SirenGuard.score`).
 * @throws UserError when both `text` and `prompt`/`response` are given, when none is, or when one is no string.
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
  // No tokenizer defines what an unpaired half of a surrogate pair means, and the reference fails on it.
  if (!value.isWellFormed())
    throw new UserError(`${field} holds an unpaired surrogate (half of a character)`);
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
