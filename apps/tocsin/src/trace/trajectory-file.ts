import { messageOf, UserError } from '@tocsin/core';
import { fieldSource } from '@tocsin/corpus';
import type { Item } from '@tocsin/engine';

/**
 * The trajectory of a JSON file: an array of messages, or an object with `messages` and perhaps `tools`. Both stay JSON
 * text: numbers as they are written there can change a score.
 */
export function trajectoryOf(file: string, json: string): Item {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new UserError(`${file} is no valid JSON: ${messageOf(cause)}`, { cause });
  }
  if (Array.isArray(value)) return { messages: json };
  const messages = typeof value === 'object' && value !== null ? fieldSource(json, 'messages') : undefined;
  if (messages === undefined) {
    throw new UserError(`${file} must hold an array of messages, or an object with messages and tools`);
  }
  return { messages, tools: fieldSource(json, 'tools') };
}
