import type { Item as GivenItem } from '@tocsin/contract';
import { fieldSource } from '@tocsin/corpus';
import type { Item } from '@tocsin/engine';
import { ApiError } from '../http/api-error.js';

/**
 * The item that a request holds. Messages and tools are taken as they were written: a number's spelling can change a score.
 * @param json the object that the item is in, as it came
 * @param field where that object stands in the request
 * @throws ApiError when there is nothing to score, or more than one thing
 */
export function itemOf(given: GivenItem, json: string, field = ''): Item {
  const { text, prompt, response, messages, tools } = given;
  const at = (name: string): string => `${field}${name}`;
  const pair = (prompt ?? response ?? null) !== null;
  const kinds = [text !== undefined, pair, messages !== undefined].filter(Boolean).length;
  if (kinds !== 1) {
    throw new ApiError(
      400,
      kinds === 0 ? 'there is nothing to score' : 'there is more than one thing to score',
      {
        field: at('text'),
        hint: 'Give text, or prompt and/or response, or messages and perhaps tools.',
      },
    );
  }
  if (messages !== undefined) {
    return { messages: fieldSource(json, 'messages') ?? '[]', tools: fieldSource(json, 'tools') };
  }
  if ((tools ?? null) !== null) throw new ApiError(400, 'tools belong to messages', { field: at('tools') });
  return text === undefined ? { prompt, response } : { text };
}
