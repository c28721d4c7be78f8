import { messageOf, UserError } from '@tocsin/core';
import { wrongKind } from './fault.js';
import { isTruthy, type JsonValue } from './json-value.js';
import { JsonFault, readPythonJson } from './python-json.js';

/**
 * What a trajectory guard scores: an agent's chat messages in OpenAI's shape, and the tools that it was given. Give the
 * tools: what is hidden in a tool's description is seen only there.
 *
 * Each is an array, or a text that holds one as JSON. An array means what JSON.stringify makes of it, and there two
 * things are lost that can change a score: 1.0 cannot be told from 1 (Python writes them differently), and keys like
 * "1" come before the others. A JSON text keeps both.
 */
export interface TrajectoryInput {
  messages: string | readonly unknown[];
  tools?: string | readonly unknown[] | null | undefined;
  text?: undefined;
  prompt?: undefined;
  response?: undefined;
}

/** A trajectory read, but not yet looked at: that is what rendering does. */
export interface ReadTrajectory {
  messages: JsonValue[];
  tools: JsonValue[];
}

/** @throws UserError when messages or tools are no arrays, and no JSON */
export function readTrajectory(input: TrajectoryInput): ReadTrajectory {
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
      // It would become null without a word.
      if (typeof part !== 'number' || Number.isFinite(part)) return part;
      throw new UserError(
        `${field} holds ${part} as ${JSON.stringify(key)}; give it as JSON text to keep it`,
      );
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${field} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
  if (json === undefined) throw new UserError(`${field} is of type ${typeof value}; an array was expected`);
  return json;
}
