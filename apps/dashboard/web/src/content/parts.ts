import type { StoredContent } from '@tocsin/contract';

/** A part of an item, as a reader sees it. */
export interface Part {
  /** What it is; undefined when the item is one text. */
  name: string | undefined;
  text: string;
}

/** Roles of messages as readers know them; any other is shown as it is. */
const ROLES = new Map([
  ['system', 'System'],
  ['developer', 'Developer'],
  ['user', 'User'],
  ['assistant', 'Assistant'],
  ['tool', 'Tool'],
]);

/** The texts of an item in the order in which they were said. */
export function partsOf({ text, prompt, response, messages, tools }: StoredContent): Part[] {
  if (text !== undefined) return [{ name: undefined, text }];
  if (messages === undefined) {
    return [
      ...(prompt === undefined ? [] : [{ name: 'Prompt', text: prompt }]),
      ...(response === undefined ? [] : [{ name: 'Response', text: response }]),
    ];
  }
  const said = messages.map((message) => messagePart(message));
  return tools == null ? said : [...said, { name: 'Tools', text: asText(tools) }];
}

/**
 * Where the parts of an item lie in the text of its trace: prompt and response stand there one after another, joined by
 * a newline. Messages are one span, as they are rendered for the model, with their roles.
 */
export function tracedSpans(
  { prompt = '', response = '', ...item }: StoredContent,
  text: string,
): { name: string | undefined; start: number; end: number }[] {
  const whole = [{ name: undefined, start: 0, end: text.length }];
  if (item.text !== undefined) return whole;
  if (item.messages !== undefined) return [{ name: 'As the guard reads it', start: 0, end: text.length }];
  if (text === prompt && prompt !== '') return [{ name: 'Prompt', start: 0, end: text.length }];
  if (text === response && response !== '') return [{ name: 'Response', start: 0, end: text.length }];
  if (text !== `${prompt}\n${response}`) return whole;
  return [
    { name: 'Prompt', start: 0, end: prompt.length },
    { name: 'Response', start: prompt.length + 1, end: text.length },
  ];
}

function messagePart(message: unknown): Part {
  const { role, content, ...rest } = (message ?? {}) as Record<string, unknown>;
  const name = typeof role === 'string' ? (ROLES.get(role) ?? role) : 'Message';
  const more = Object.values(rest).some((value) => value != null) ? `\n${asText(rest)}` : '';
  return { name, text: `${content == null ? '' : asText(content)}${more}`.trim() };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
}
