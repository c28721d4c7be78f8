import type { FieldLookup } from '../rows/fields.js';
import { faultOf, keptOf, keyOf, type ParsedRow } from '../rows/parse-row.js';
import { type Rejection, rejection } from '../rows/row.js';
import { own, type SourceRecord } from '../rows/source-record.js';
import { printable, typeName } from '../rows/wording.js';
import type { Shape } from './shape.js';

/** Where a stored chat completion has its request and its response. */
const ASKED = ['request', 'body', 'messages'] as const;
const ANSWERED = ['response', 'body', 'choices'] as const;

/**
 * Each record is a chat (OpenAI chat completions): its prompt is the user's last message, its response the assistant's
 * answer to it. Messages are in the messages field, in `body`, `request` or `request.body`; an answer may also be in
 * `choices` of the record, of `response` or of `response.body` (the first choice).
 */
export const openaiChat: Shape = {
  expected: ({ messages }) => `a JSON object with a chat's ${JSON.stringify(messages)} was expected`,
  columns: ({ id, messages }) => [id, 'custom_id', messages, 'body', 'request', 'response', 'choices'],
  contentColumns: ({ messages }) => [messages, 'body', 'request', 'response', 'choices'],
  textColumns: () => [],
  jsonColumns: ({ messages }) => [messages, 'body', 'request', 'response', 'choices'],
  rows: (record, fields, keep) => [readChat(record, fields, keep)],
};

function readChat(record: SourceRecord, fields: FieldLookup, keep: readonly string[]): ParsedRow {
  const kept = keptOf(record, keep);
  const own = keyOf(record, fields.id);
  if ('reason' in own) return { key: undefined, ...own, ...kept };
  const id = own.key === undefined ? keyOf(record, 'custom_id') : own;
  if ('reason' in id) return { key: undefined, ...id, ...kept };
  const content = readExchange(record, fields);
  return { key: id.key, ...('reason' in content ? content : { content }), ...kept };
}

function readExchange(
  record: SourceRecord,
  { messages: field }: FieldLookup,
): { prompt?: string; response?: string } | Rejection {
  for (const column of openaiChat.jsonColumns({ messages: field } as FieldLookup)) {
    const fault = faultOf(record, column);
    if (fault !== undefined) return fault;
  }
  const messages = asked(record.fields, field);
  if (!Array.isArray(messages)) {
    return messages === undefined
      ? rejection(
          'missing',
          `The row has no chat: an array ${JSON.stringify(field)} was expected, in the row or in its "body" or "request".`,
        )
      : rejection('type', `The messages of the chat are ${typeName(messages)}; an array was expected.`);
  }
  const unknown = messages.find((message) => roleOf(message) === undefined);
  if (unknown !== undefined) return unknownRole(unknown);
  const lastAsked = messages.findLastIndex((message) => roleOf(message) === 'user');
  const prompt = lastAsked === -1 ? undefined : textOf(messages[lastAsked]);
  const said = messages
    .slice(lastAsked + 1)
    .filter((message) => roleOf(message) === 'assistant')
    .concat(answers(record.fields));
  const answer = said.map(textOf).filter((text) => text !== undefined);
  if (prompt === undefined && answer.length === 0) {
    return rejection(
      'missing',
      `The chat has no text: neither a message of the user nor an answer of the assistant was found, ${rolesIn(messages)}.`,
    );
  }
  const response = answer.join('\n');
  for (const text of [prompt, response]) {
    if (text?.isWellFormed() === false)
      return rejection('encoding', 'The chat holds half of a surrogate pair, which is no character.');
  }
  return { prompt, ...(answer.length !== 0 && { response }) };
}

/** Role names in chat logs: OpenAI's, ShareGPT's, and those of older tools. */
const ROLES: ReadonlyMap<string, 'user' | 'assistant' | 'other'> = new Map([
  ...['user', 'human', 'prompter'].map((name) => [name, 'user'] as const),
  ...['assistant', 'gpt', 'ai', 'bot', 'chatbot', 'chatgpt', 'model'].map(
    (name) => [name, 'assistant'] as const,
  ),
  ...[
    'system',
    'developer',
    'tool',
    'function',
    'function_call',
    'tool_call',
    'tool_response',
    'observation',
  ].map((name) => [name, 'other'] as const),
]);

/** The role of a message; undefined when unknown. */
function roleOf(message: unknown): 'user' | 'assistant' | 'other' | undefined {
  return ROLES.get(String(roleName(message)).trim().toLowerCase());
}

function roleName(message: unknown): unknown {
  return member(message, 'role') ?? member(message, 'from');
}

function unknownRole(message: unknown): Rejection {
  const name = roleName(message);
  const what = typeof name === 'string' ? `of the role ${printable(name)}` : 'without a role';
  return rejection(
    'type',
    `The chat has a message ${what}; user, assistant (or human, gpt, ai, bot, model), system or tool was expected.`,
  );
}

function rolesIn(messages: readonly unknown[]): string {
  const roles = [...new Set(messages.map(roleName))].filter((role) => typeof role === 'string');
  return roles.length === 0
    ? 'and it has no messages'
    : `only ${roles.slice(0, 5).map(printable).join(', ')}`;
}

/** The messages of the record itself, else those of its request. */
function asked(row: object, field: string | undefined): unknown {
  const given = field === undefined ? undefined : (own(row, field) ?? undefined);
  if (given !== undefined) return given;
  const [request, body, messages] = ASKED;
  const inRequest = member(row, request);
  return (
    member(member(row, body), messages) ??
    member(member(inRequest, body), messages) ??
    member(inRequest, messages) ??
    undefined
  );
}

/** The first choice of a stored response. */
function answers(row: object): unknown[] {
  const [response, body, choices] = ANSWERED;
  const inResponse = member(row, response);
  const found =
    member(row, choices) ?? member(inResponse, choices) ?? member(member(inResponse, body), choices);
  const message = Array.isArray(found) ? member(found[0], 'message') : undefined;
  return message === undefined || message === null ? [] : [message];
}

/** A message's text: its content, or its text parts joined with line feeds; a refusal counts as an answer. */
function textOf(message: unknown): string | undefined {
  // ShareGPT calls it a value, Gemini has parts.
  const content = member(message, 'content') ?? member(message, 'value') ?? member(message, 'parts');
  if (typeof content === 'string') return content;
  const texts = (Array.isArray(content) ? content : [])
    .map((part) => member(part, 'text') ?? member(part, 'refusal'))
    .filter((text) => typeof text === 'string');
  if (texts.length > 0) return texts.join('\n');
  const refusal = member(message, 'refusal');
  return typeof refusal === 'string' ? refusal : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? own(value, name) : undefined;
}
