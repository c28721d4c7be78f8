import { itemValue } from '@tocsin/producer';
import { plainText } from '@tocsin/store';
import { PREVIEW_LENGTH, type StoredContent, storedContent } from '../contract/index.js';

/** Messages that an excerpt holds. */
const EXCERPT_MESSAGES = 4;
/** Characters of each part of an excerpt, and of a role. */
const EXCERPT_LENGTH = PREVIEW_LENGTH / 2;
const ROLE_LENGTH = 40;

/**
 * What a list shows of a row's text; nulls for one that was not kept.
 * @param json what the store keeps of the row
 */
export function previewOf(json: string | null): { preview: string | null; excerpt: StoredContent | null } {
  if (json === null) return { preview: null, excerpt: null };
  return { preview: cut(plainText(json), PREVIEW_LENGTH), excerpt: excerptOf(json) };
}

/** The beginning of each part of an item, so that a reader sees who said what. Without tools and tool calls. */
function excerptOf(json: string): StoredContent {
  const { text, prompt, response, messages } = storedContent.parse(itemValue(json));
  if (text !== undefined) return { text: cut(text, PREVIEW_LENGTH) };
  if (messages !== undefined) return { messages: messages.slice(0, EXCERPT_MESSAGES).map(messageExcerpt) };
  return {
    ...(prompt === undefined ? {} : { prompt: cut(prompt, EXCERPT_LENGTH) }),
    ...(response === undefined ? {} : { response: cut(response, EXCERPT_LENGTH) }),
  };
}

function messageExcerpt(message: unknown): Record<string, string> {
  const { role, content, tool_calls: calls } = (message ?? {}) as Record<string, unknown>;
  const said = content ?? calls ?? '';
  return {
    role: typeof role === 'string' ? cut(role, ROLE_LENGTH) : 'message',
    content: cut(typeof said === 'string' ? said : plainText(JSON.stringify(said)), EXCERPT_LENGTH),
  };
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const beginning = text.slice(0, length);
  // Not in the middle of a character.
  return `${/[\ud800-\udbff]$/.test(beginning) ? beginning.slice(0, -1) : beginning}…`;
}
