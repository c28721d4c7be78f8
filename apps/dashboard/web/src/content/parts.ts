import type { StoredContent, Trace } from '@tocsin/contract';

/** A part of an item, for display. */
export interface Part {
  /** Its heading; undefined when the item is a single text. */
  name: string | undefined;
  text: string;
}

/** Display names of message roles; others are shown as they are. */
const ROLES = new Map([
  ['system', 'System'],
  ['developer', 'Developer'],
  ['user', 'User'],
  ['assistant', 'Assistant'],
  ['tool', 'Tool'],
]);

/** The texts of an item in order. */
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
 * Where the parts of an item are in the text of its trace: prompt and response joined by a newline. Messages are one
 * span, as rendered for the model, with their roles.
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

/** A piece of a traced text: one token, or the text between tokens. */
export interface HeatPiece {
  text: string;
  /** The score of everything up to its end; undefined between tokens, and beyond the model's input. */
  score: number | undefined;
  /** Whether it is the first token that reaches the threshold. */
  first: boolean;
}

/** The pieces within a span of the text, cut at its ends. */
export function piecesBetween(pieces: readonly HeatPiece[], start: number, end: number): HeatPiece[] {
  const within: HeatPiece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const text = piece.text.slice(Math.max(0, start - at), Math.max(0, end - at));
    if (text !== '') within.push({ ...piece, text });
    at += piece.text.length;
  }
  return within;
}

/** Splits a traced text at its tokens. The pieces add up to the text; tokens within one character share a piece. */
export function heatPieces({
  text,
  tokens,
  firstHarmful,
}: Pick<Trace, 'text' | 'tokens' | 'firstHarmful'>): HeatPiece[] {
  const pieces: HeatPiece[] = [];
  let at = 0;
  tokens.forEach(({ start, end, score }, index) => {
    const first = index === firstHarmful;
    const from = Math.max(at, start);
    if (end <= from) {
      // A character of several tokens gets the score of the last one.
      const last = pieces.at(-1);
      if (last !== undefined && end > 0) {
        last.score = score;
        last.first ||= first;
      }
      return;
    }
    if (from > at) pieces.push({ text: text.slice(at, from), score: undefined, first: false });
    pieces.push({ text: text.slice(from, end), score, first });
    at = end;
  });
  if (at < text.length) pieces.push({ text: text.slice(at), score: undefined, first: false });
  return pieces;
}

/** The first `limit` UTF-16 units of a text, without half a character at its end. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const cutsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, cutsPair ? limit - 1 : limit);
}
