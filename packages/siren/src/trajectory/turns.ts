import { UserError } from '@tocsin/core';
import { pythonStrip } from '../text/python-strip.js';
import {
  isTruthy,
  JsonFault,
  type JsonObject,
  type JsonValue,
  kindOfJson,
  quotedWord,
  readPythonJson,
  TooDeep,
  wrongKind,
} from './python-json.js';
import { pythonDumps, pythonStr } from './python-text.js';

/** One step of a trajectory (llm-siren `Turn`). */
export type Turn =
  | { role: 'user' | 'environment'; content: string }
  /** What an agent says, or a call of a tool with the thought that led to it. */
  | { role: 'agent'; content: string }
  | { role: 'agent'; thought: string; action: string };

/** Messages as the reference reads them: the agent's profile and its turns. */
export interface Conversation {
  profile: string;
  turns: Turn[];
}

const OBSERVATION_ROLES: readonly JsonValue[] = ['tool', 'function', 'environment'];
const ROLES = 'system, developer, user, assistant, tool, function or environment';

/**
 * Reads tool-calling chat messages (llm-siren `from_openai`): system and developer messages form the profile, each
 * assistant call becomes a turn, tool results are observations. Unlike the reference, rejects calls that are not
 * objects instead of scoring something else.
 *
 * @throws UserError naming the message (from 0) and the field, where the reference would fail too
 */
export function readConversation(messages: readonly JsonValue[]): Conversation {
  const profile: string[] = [];
  const turns: Turn[] = [];
  for (const [i, message] of messages.entries()) {
    const place = `message ${i}`;
    if (!(message instanceof Map)) throw wrongKind(place, message, 'an object');
    const role = message.get('role');
    if (role === 'system' || role === 'developer') {
      const text = pythonStrip(textContent(message, place));
      if (text !== '') profile.push(text);
    } else if (role === 'user') {
      turns.push({ role: 'user', content: textContent(message, place) });
    } else if (role === 'assistant') {
      turns.push(...agentTurns(message, place));
    } else if (role !== undefined && OBSERVATION_ROLES.includes(role)) {
      turns.push({ role: 'environment', content: anyContent(message, place) });
    } else {
      throw unknownRole(place, role);
    }
  }
  return { profile: profile.join('\n\n'), turns };
}

function agentTurns(message: JsonObject, place: string): Turn[] {
  const content = textContent(message, place);
  const calls = message.get('tool_calls');
  if (!isTruthy(calls)) return [{ role: 'agent', content }];
  if (!Array.isArray(calls)) throw wrongKind(`${place}: tool_calls`, calls, 'an array');
  return calls.map((call, i) => ({
    role: 'agent',
    // The assistant's own text is the thought of its first call.
    thought: i === 0 ? content : '',
    action: actionOf(call, `${place}: tool_calls[${i}]`),
  }));
}

/** A call as the training corpora store it (llm-siren `_render_call`). */
function actionOf(call: JsonValue, place: string): string {
  if (!(call instanceof Map)) throw wrongKind(place, call, 'an object');
  const named = call.get('function') ?? (call.has('function') ? null : call);
  if (!(named instanceof Map)) throw wrongKind(`${place}.function`, named, 'an object');
  const action = new Map<string, JsonValue>([
    ['name', named.get('name') ?? null],
    ['arguments', argumentsOf(named.get('arguments') ?? null, place)],
  ]);
  return pythonDumps(action);
}

/** Arguments are usually JSON in a string. Any other string is kept unchanged. */
function argumentsOf(value: JsonValue, place: string): JsonValue {
  if (typeof value !== 'string') return value;
  try {
    return readPythonJson(value);
  } catch (error) {
    if (error instanceof TooDeep) throw new UserError(`${place}: arguments: ${error.message}`);
    if (error instanceof JsonFault) return value;
    throw error;
  }
}

/** The text of a message: text parts joined by newlines; "" for anything empty. */
function textContent(message: JsonObject, place: string): string {
  const content = contentOf(message, place);
  if (typeof content !== 'string') throw wrongKind(`${place}: content`, content, 'a string or an array');
  return content;
}

/** Like `textContent`, but a tool result may be of any kind and is written as Python's `str`. */
function anyContent(message: JsonObject, place: string): string {
  return pythonStr(contentOf(message, place));
}

function contentOf(message: JsonObject, place: string): JsonValue {
  const content = message.get('content');
  if (!isTruthy(content)) return '';
  if (!Array.isArray(content)) return content;
  return content
    .flatMap((part, i) => {
      if (!(part instanceof Map) || part.get('type') !== 'text') return [];
      const text = part.has('text') ? (part.get('text') ?? null) : '';
      if (typeof text !== 'string') throw wrongKind(`${place}: content[${i}].text`, text, 'a string');
      return [text];
    })
    .join('\n');
}

function unknownRole(place: string, role: JsonValue | undefined): UserError {
  const word = quotedWord(role);
  const what =
    role === undefined
      ? 'has no role'
      : (word ?? '') !== ''
        ? `has the role ${word}`
        : `has a role that is ${typeof role === 'string' ? 'unknown' : kindOfJson(role)}`;
  return new UserError(`${place} ${what}; ${ROLES} was expected`);
}
