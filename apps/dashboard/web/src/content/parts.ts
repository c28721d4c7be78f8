import type { StoredContent } from '../../../src/contract/index.js';

/** A part of an item, as a reader sees it. */
export interface Part {
  /** What it is; undefined when the item is one text. */
  name: string | undefined;
  text: string;
}

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

function messagePart(message: unknown): Part {
  const { role, content, ...rest } = (message ?? {}) as Record<string, unknown>;
  const name = typeof role === 'string' ? role : 'message';
  const more = Object.values(rest).some((value) => value != null) ? `\n${asText(rest)}` : '';
  return { name, text: `${content == null ? '' : asText(content)}${more}`.trim() };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
}
