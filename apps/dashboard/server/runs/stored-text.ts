import { PREVIEW_LENGTH, type StoredContent, storedContent } from '@tocsin/contract';
import type { Item } from '@tocsin/engine';
import { itemValue } from '@tocsin/pipeline';
import { type ItemRow, isCut, plainText } from '@tocsin/store';
import { ApiError } from '../http/api-error.js';

/** Messages in an excerpt. */
const EXCERPT_MESSAGES = 4;
/** Characters per part of an excerpt, and per role. */
const EXCERPT_LENGTH = PREVIEW_LENGTH / 2;
const ROLE_LENGTH = 40;

/** A row's stored text. */
type StoredText = Pick<ItemRow, 'json' | 'jsonBytes'>;

/** The excerpt of a row's text for lists; nulls when it is not stored. */
export function previewOf(row: StoredText | undefined): {
  preview: string | null;
  excerpt: StoredContent | null;
} {
  if (row === undefined || row.json === null) return { preview: null, excerpt: null };
  const isPart = isCut(row);
  const json = isPart ? closedContent(row.json) : row.json;
  return {
    preview: cut(plainText(json, PREVIEW_LENGTH), PREVIEW_LENGTH, isPart),
    excerpt: excerptOf(json, isPart),
  };
}

/** A row's full text; a text of several megabytes is truncated, and marked as such. */
export function shownContent(json: string, row: StoredText): StoredContent {
  if (!isCut(row)) return storedContent.parse(itemValue(json));
  const bytes = (row.jsonBytes ?? 0).toLocaleString('en-US');
  const note = `[Cut here. The text has ${bytes} bytes; export the run with its texts for the rest.]`;
  const text = plainText(json);
  return { text: `${cut(text, text.length, true)}\n\n${note}` };
}

/**
 * A row as the engine takes it: messages stay raw JSON, as in the corpus.
 * @throws ApiError for a text too long to load whole
 */
export function storedItem(json: string, row: StoredText & { seq: number }): Item {
  if (!isCut(row)) return JSON.parse(json) as Item;
  throw new ApiError(413, `the text of row ${row.seq} is too long for this: ${row.jsonBytes} bytes`, {
    hint: 'The guard has scored its beginning only.',
  });
}

/** The stored text, with truncated JSON of messages and tools closed so that it parses. */
function closedContent(json: string): string {
  const content = JSON.parse(closedJson(json)) as Record<string, unknown>;
  for (const field of ['messages', 'tools']) {
    const value = content[field];
    if (typeof value === 'string') content[field] = closedJson(value);
  }
  return JSON.stringify(content);
}

/** The beginning of each part of an item, with its role. Tools and tool calls are omitted. */
function excerptOf(json: string, isPart: boolean): StoredContent {
  const { text, prompt, response, messages } = storedContent.parse(itemValue(json));
  if (text !== undefined) return { text: cut(text, PREVIEW_LENGTH, isPart) };
  if (messages !== undefined) {
    const last = messages.length - 1;
    return {
      messages: messages
        .slice(0, EXCERPT_MESSAGES)
        .map((message, i) => messageExcerpt(message, isPart && i === last)),
    };
  }
  const promptIsPart = isPart && response === undefined;
  return {
    ...(prompt !== undefined && { prompt: cut(prompt, EXCERPT_LENGTH, promptIsPart) }),
    ...(response !== undefined && { response: cut(response, EXCERPT_LENGTH, isPart) }),
  };
}

function messageExcerpt(message: unknown, isPart: boolean): Record<string, string> {
  const { role, content, tool_calls: calls } = (message ?? {}) as Record<string, unknown>;
  const said = content ?? calls ?? '';
  return {
    role: typeof role === 'string' ? cut(role, ROLE_LENGTH) : 'message',
    content: cut(typeof said === 'string' ? said : plainText(JSON.stringify(said)), EXCERPT_LENGTH, isPart),
  };
}

/** @param isPart the text was already truncated */
function cut(text: string, length: number, isPart = false): string {
  if (text.length <= length && !isPart) return text;
  const beginning = text.slice(0, length);
  // Do not split a surrogate pair.
  return `${/[\ud800-\udbff]$/.test(beginning) ? beginning.slice(0, -1) : beginning}…`;
}

/**
 * Closes truncated JSON so that it can be parsed: open arrays and objects are closed, and an incomplete value other than a
 * string is dropped.
 * @param json the beginning of a JSON text, or all of it
 */
export function closedJson(json: string): string {
  const open: string[] = [];
  let nameIsNext = false;
  /** Up to this index all values are complete; with the brackets open there. */
  let whole = { end: 0, closers: '' };
  const wholeUpTo = (end: number): void => {
    whole = { end, closers: [...open].reverse().join('') };
  };
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') {
      const { end, closed } = stringEnd(json, at);
      if (!closed && nameIsNext) break;
      if (!closed) return `${json.slice(0, end)}"${[...open].reverse().join('')}`;
      at = end;
      if (!nameIsNext) wholeUpTo(at + 1);
    } else if (char === '{' || char === '[') {
      open.push(char === '{' ? '}' : ']');
      nameIsNext = char === '{';
      wholeUpTo(at + 1);
    } else if (char === '}' || char === ']') {
      open.pop();
      nameIsNext = false;
      wholeUpTo(at + 1);
    } else if (char === ',') {
      wholeUpTo(at);
      nameIsNext = open.at(-1) === '}';
    } else if (char === ':') nameIsNext = false;
  }
  if (open.length === 0 && whole.end > 0) return json;
  return whole.end === 0 ? 'null' : json.slice(0, whole.end) + whole.closers;
}

/** End of the string that starts at `from`: its closing quote, or the last complete character. */
function stringEnd(json: string, from: number): { end: number; closed: boolean } {
  let end = from + 1;
  for (let at = from + 1; at < json.length; ) {
    if (json[at] === '"') return { end: at, closed: true };
    at += json[at] !== '\\' ? 1 : json[at + 1] === 'u' ? 6 : 2;
    if (at <= json.length) end = at;
  }
  return { end, closed: false };
}
