import { pythonStrip } from '../text/python-strip.js';
import { isTruthy, type JsonObject, type JsonValue, quotedWord, wrongKind } from './python-json.js';
import { pythonRepr, pythonStr } from './python-text.js';
import type { Conversation, Turn } from './turns.js';

/** A message as the chat template gets it. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * A conversation as messages for a chat template (llm-siren `trace_to_messages` with `rich_tools`): profile and tools in
 * the system message, observations as user messages, adjacent messages of one role merged.
 */
export function chatMessages({ profile, turns }: Conversation, tools: readonly JsonValue[]): ChatMessage[] {
  const system = [...(profile === '' ? [] : [profile]), ...(tools.length === 0 ? [] : [toolsBlock(tools)])];
  const messages: ChatMessage[] =
    system.length === 0 ? [] : [{ role: 'system', content: system.join('\n\n') }];
  for (const turn of turns) {
    const message = messageOf(turn);
    const last = messages.at(-1);
    if (last?.role === message.role) last.content = pythonStrip(`${last.content}\n${message.content}`);
    else messages.push(message);
  }
  return messages;
}

function messageOf(turn: Turn): ChatMessage {
  switch (turn.role) {
    case 'user':
      return { role: 'user', content: turn.content };
    case 'environment':
      return { role: 'user', content: `[Observation] ${turn.content}` };
    case 'agent':
      return { role: 'assistant', content: 'action' in turn ? stepOf(turn) : turn.content };
  }
}

function stepOf({ thought, action }: { thought: string; action: string }): string {
  return `${thought === '' ? '' : `Thought: ${pythonStrip(thought)}\n`}Action: ${action}`;
}

/** Moves the system message into the first user message, for templates without a system role (`_fold_system`). */
export function foldSystem(messages: readonly ChatMessage[]): ChatMessage[] {
  const [system, ...rest] = messages;
  if (system?.role !== 'system') return [...messages];
  const first = rest.findIndex(({ role }) => role === 'user');
  if (first < 0) return [{ role: 'user', content: system.content }, ...rest];
  return rest.map((message, i) =>
    i === first ? { role: 'user', content: `${system.content}\n\n${message.content}` } : message,
  );
}

/**
 * The agent's tools as text for the system message: every parameter with its type, default and description
 * (llm-siren `_tools_block` with `rich`). A tool is an OpenAI function tool, or the function itself.
 *
 * @throws UserError naming the tool (from 0) and the field, where the reference would fail too
 */
function toolsBlock(tools: readonly JsonValue[]): string {
  return ['# Available tools', ...tools.map((tool, i) => toolLines(tool, `tool ${i}`))].join('\n');
}

function toolLines(tool: JsonValue, place: string): string {
  if (!(tool instanceof Map)) throw wrongKind(place, tool, 'an object');
  const inner = tool.get('function');
  const schema = inner instanceof Map ? inner : tool;
  const name = schema.has('name') ? pythonStr(schema.get('name') ?? null) : '?';
  const description = stripped(schema, 'description', place);
  const prototype = schema.get('prototype');
  const parameters = parameterLines(schema.get('parameters'), `${place}: parameters`);
  return [
    `- ${name}: ${description}`,
    ...(isTruthy(prototype) ? [`  signature: ${pythonStr(prototype)}`] : []),
    ...(parameters.length > 0 ? ['  parameters:', ...parameters] : []),
  ].join('\n');
}

/** `parameters` is a JSON schema with `properties`, or the properties themselves. Entries that are not objects are left out. */
function parameterLines(parameters: JsonValue | undefined, place: string): string[] {
  if (!(parameters instanceof Map)) return [];
  const properties = parameters.get('properties');
  const flat = properties instanceof Map ? properties : parameters;
  return [...flat].flatMap(([name, schema], i) => {
    if (!(schema instanceof Map)) return [];
    return [parameterLine(name, schema, `${place}, ${quotedWord(name) ?? `parameter ${i}`}`)];
  });
}

function parameterLine(name: string, schema: JsonObject, place: string): string {
  const type = schema.get('type');
  const facts: string[] = [];
  if (isTruthy(type)) {
    if (typeof type !== 'string') throw wrongKind(`${place}: type`, type, 'a string');
    facts.push(type);
  }
  const byDefault = schema.get('default') ?? null;
  if (byDefault !== null) facts.push(`default ${pythonRepr(byDefault)}`);
  const description = stripped(schema, 'description', place);
  return `  - ${name}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}${description === '' ? '' : `: ${description}`}`;
}

function stripped(schema: JsonObject, field: string, place: string): string {
  const text = schema.get(field);
  if (!isTruthy(text)) return '';
  if (typeof text !== 'string') throw wrongKind(`${place}: ${field}`, text, 'a string');
  return pythonStrip(text);
}
