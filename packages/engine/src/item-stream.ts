import { UserError } from '@tocsin/errors';
import { textOf } from '@tocsin/siren';
import { prepareContents } from './content.js';
import type { PrefixTokens } from './prefix-stream.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * A text that grows chunk by chunk, prepared anew each time: what a chunk does to the end of the text before it
 * (blanks that run together, tokens that merge) is as if the whole had come at once.
 *
 * @param prompt what the streamed text is the response to
 */
export function growingText(
  tokenizer: Tokenizer,
  prompt: string | undefined,
): (chunk: string) => Promise<PrefixTokens> {
  let given = '';
  return async (chunk) => {
    if (typeof chunk !== 'string') throw new UserError(`a chunk must be a string, got ${typeof chunk}`);
    given += chunk;
    // A chunk may end in half a character; its other half comes with the next one.
    const whole = endsInHalf(given) ? given.slice(0, -1) : given;
    const text = textOf(prompt === undefined ? { text: whole } : { prompt, response: whole });
    const [content] = await prepareContents(tokenizer, [text]);
    if (content === undefined) throw new Error('one text gave no content');
    return content;
  };
}

const endsInHalf = (text: string): boolean => /[\ud800-\udbff]$/.test(text);
