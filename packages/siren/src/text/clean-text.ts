import { strippedSpan } from './python-strip.js';

/**
 * Text preparation, as the reference runtime does it before tokenizing (llm-siren 0.2.0, `_to_raw_text`).
 */

// The chat-template markers that the reference replaces: ChatML, Phi, Llama 3, Qwen/FIM, Llama 2, sentence marks.
export const CHAT_MARKERS = [
  '<|im_start|>',
  '<|im_end|>',
  '<|im_sep|>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|begin_of_text|>',
  '<|end_of_text|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
  '<|endoftext|>',
  '<|fim_prefix|>',
  '<|fim_suffix|>',
  '<|fim_middle|>',
  '<<SYS>>',
  '<</SYS>>',
  '[INST]',
  '[/INST]',
  '<s>',
  '</s>',
  '<|s|>',
  '<|/s|>',
];

export const CHAT_MARKER = new RegExp(
  CHAT_MARKERS.map((marker) => marker.replace(/[|[\]/]/g, '\\$&')).join('|'),
  'g',
);
const BLANKS = /[ \t]+/g;
const NEWLINES = /\n{3,}/g;
/** Applied in this order. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [CHAT_MARKER, ' '],
  [BLANKS, ' '],
  [NEWLINES, '\n\n'],
];

/**
 * The text as the tokenizer gets it: chat-template markers become spaces, runs of blanks and tabs one space, three or
 * more newlines two, and the ends are stripped. An empty result becomes one space.
 */
export function cleanText(text: string): string {
  const replaced = REPLACEMENTS.reduce((soFar, [what, by]) => soFar.replace(what, by), text);
  return replaced.slice(...strippedSpan(replaced)) || ' ';
}

/** Runs of blanks and tabs become one space, three or more newlines two. */
export function collapseRuns(text: string): string {
  return text.replace(BLANKS, ' ').replace(NEWLINES, '\n\n');
}

/** Like `cleanText`, with a map back to the given text. */
export function cleanTextAligned(text: string): AlignedText {
  const replaced = REPLACEMENTS.reduce((soFar, [what, by]) => soFar.replace(what, by), AlignedText.of(text));
  const cleaned = replaced.slice(...strippedSpan(replaced.text));
  return cleaned.text === '' ? AlignedText.standingFor(text, ' ') : cleaned;
}

/** Prompt and response joined by a newline; empty parts are left out (llm-siren `_join_prompt_response`). */
export function joinPromptResponse(prompt: string | undefined, response: string | undefined): string {
  return [prompt, response].filter((part) => part !== undefined && part !== '').join('\n');
}

/** A slice of a text, `start` to `end` (exclusive), in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}

/** A text derived from another, which maps each of its characters to a span of the original. */
export class AlignedText {
  readonly text: string;
  /** Per UTF-16 unit of `text`: start and end of its span in the original. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  private constructor(text: string, starts: Uint32Array, ends: Uint32Array) {
    this.text = text;
    this.#starts = starts;
    this.#ends = ends;
  }

  /** A text that is its own original. */
  static of(text: string): AlignedText {
    const units = Uint32Array.from({ length: text.length }, (_, i) => i);
    return new AlignedText(
      text,
      units,
      units.map((i) => i + 1),
    );
  }

  /** A text whose every character maps to the whole of `original`. */
  static standingFor(original: string, text: string): AlignedText {
    return new AlignedText(
      text,
      new Uint32Array(text.length),
      new Uint32Array(text.length).fill(original.length),
    );
  }

  /** Like `String.replace` with a global expression; the replacement maps to what it replaces. */
  replace(what: RegExp, by: string): AlignedText {
    const parts: AlignedText[] = [];
    let last = 0;
    for (const match of this.text.matchAll(what)) {
      const end = match.index + match[0].length;
      parts.push(this.slice(last, match.index), this.#replacement(match.index, end, by));
      last = end;
    }
    return last === 0 ? this : AlignedText.concat([...parts, this.slice(last, this.text.length)]);
  }

  slice(start: number, end: number): AlignedText {
    return new AlignedText(
      this.text.slice(start, end),
      this.#starts.subarray(start, end),
      this.#ends.subarray(start, end),
    );
  }

  /** The span of the original that a span of this text maps to. */
  originOf({ start, end }: Span): Span {
    const first = this.#starts[start] ?? this.#ends.at(-1) ?? 0;
    return { start: first, end: end > start ? (this.#ends[end - 1] ?? first) : first };
  }

  #replacement(start: number, end: number, by: string): AlignedText {
    const origin = this.originOf({ start, end });
    return new AlignedText(
      by,
      new Uint32Array(by.length).fill(origin.start),
      new Uint32Array(by.length).fill(origin.end),
    );
  }

  static concat(parts: readonly AlignedText[]): AlignedText {
    const text = parts.map((part) => part.text).join('');
    const starts = new Uint32Array(text.length);
    const ends = new Uint32Array(text.length);
    let at = 0;
    for (const part of parts) {
      starts.set(part.#starts, at);
      ends.set(part.#ends, at);
      at += part.text.length;
    }
    return new AlignedText(text, starts, ends);
  }
}
