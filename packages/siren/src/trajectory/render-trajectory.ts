import { messageOf, UserError } from '@tocsin/core';
import { chatMessages } from './chat-messages.js';
import type { ChatTemplate } from './chat-template.js';
import { isTruthy, JsonFault, type JsonValue, readPythonJson, wrongKind } from './python-json.js';
import { readConversation } from './turns.js';

/**
 * What a trajectory guard scores: an agent's chat messages in OpenAI's shape and its tools. Pass the tools: an attack
 * hidden in a tool's description is visible only there.
 *
 * Each is an array, or JSON text of one. Prefer text: JSON.stringify of an array writes 1.0 as 1 (Python writes them
 * differently) and moves keys like "1" to the front, which can change a score.
 */
export interface TrajectoryInput {
  messages: string | readonly unknown[];
  tools?: string | readonly unknown[] | null;
  text?: undefined;
  prompt?: undefined;
  response?: undefined;
}

/** A parsed trajectory; rendering validates it. */
interface ReadTrajectory {
  messages: JsonValue[];
  tools: JsonValue[];
}

/** @throws UserError when messages or tools are not arrays, or not JSON */
function readTrajectory(input: TrajectoryInput): ReadTrajectory {
  const messages = readValue(input.messages, 'messages');
  if (!Array.isArray(messages)) throw wrongKind('messages', messages, 'an array');
  const tools = readValue(input.tools ?? null, 'tools');
  if (!isTruthy(tools)) return { messages, tools: [] };
  if (!Array.isArray(tools)) throw wrongKind('tools', tools, 'an array');
  return { messages, tools };
}

function readValue(value: unknown, field: string): JsonValue {
  const json = typeof value === 'string' ? value : jsonOf(value, field);
  try {
    return readPythonJson(json);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw new UserError(`${field} is no JSON that can be read: ${error.message}`, { cause: error });
  }
}

function jsonOf(value: unknown, field: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value, (key, part: unknown) => {
      // JSON.stringify would silently write null.
      if (typeof part !== 'number' || Number.isFinite(part)) return part;
      throw new UserError(
        `${field} contains ${part} as ${JSON.stringify(key)}; give it as JSON text to keep it`,
      );
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${field} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
  if (json === undefined) throw new UserError(`${field} is of type ${typeof value}; an array was expected`);
  return json;
}

/**
 * A trajectory as the text that the guard reads (llm-siren `from_openai` and `render`). Nothing is cleaned: roles, turns
 * and schemas are part of what is scored.
 *
 * @throws UserError naming the place that cannot be read
 */
export function renderTrajectory(template: ChatTemplate, input: TrajectoryInput): string {
  const { messages, tools } = readTrajectory(input);
  const chat = chatMessages(readConversation(messages), tools);
  if (chat.length === 0) throw new UserError('the trajectory is empty: it has neither messages nor tools');
  const rendered = template.render(chat);
  // Tokenizers do not define unpaired surrogates, and the reference fails on them.
  if (!rendered.isWellFormed()) {
    throw new UserError('the trajectory contains an unpaired surrogate (half of a character)');
  }
  return rendered;
}
