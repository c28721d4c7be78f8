import { AlignedText } from './aligned-text.js';
import { strippedSpan } from './python-strip.js';

/**
 * Text preparation, as the reference runtime does it before tokenizing (llm-siren 0.2.0, `_to_raw_text`).
 */

// The chat-template markers that the reference replaces: ChatML, Phi, Llama 3, Qwen/FIM, Llama 2, sentence marks.
const CHAT_MARKERS = [
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

const CHAT_MARKER = new RegExp(
  CHAT_MARKERS.map((marker) => marker.replace(/[|[\]/]/g, '\\$&')).join('|'),
  'g',
);
const BLANKS = /[ \t]+/g;
const NEWLINES = /\n{3,}/g;
/** What is replaced by what, one after another. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [CHAT_MARKER, ' '],
  [BLANKS, ' '],
  [NEWLINES, '\n\n'],
];

/**
 * The text that the tokenizer gets: chat-template markers become spaces, runs of blanks and tabs one space,
 * three and more newlines two, and the ends are stripped. A text with nothing left is one space.
 */
export function cleanText(text: string): string {
  const replaced = REPLACEMENTS.reduce((soFar, [what, by]) => soFar.replace(what, by), text);
  return replaced.slice(...strippedSpan(replaced)) || ' ';
}

/** As `cleanText`, with the way back to the given text. */
export function cleanTextAligned(text: string): AlignedText {
  const replaced = REPLACEMENTS.reduce((soFar, [what, by]) => soFar.replace(what, by), AlignedText.of(text));
  const cleaned = replaced.slice(...strippedSpan(replaced.text));
  return cleaned.text === '' ? AlignedText.standingFor(text, ' ') : cleaned;
}

/** A prompt and a response are one text, joined by a newline; an empty part is left out (`_join_prompt_response`). */
export function joinPromptResponse(prompt: string | undefined, response: string | undefined): string {
  return [prompt, response].filter((part) => part !== undefined && part !== '').join('\n');
}
