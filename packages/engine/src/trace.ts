import type { AlignedText, Span } from '@tocsin/siren';
import type { TokenSpans } from './tokenizer.js';

/** A token of a traced item. */
export interface TracedToken extends Span {
  tokenId: number;
  /** P(harmful) of the item up to this token. */
  score: number;
}

/** Where an item turns harmful: the score after every token, out of one forward pass. */
export interface Trace {
  /** Of the whole item: that of the last token. */
  score: number;
  /** score >= threshold */
  isHarmful: boolean;
  threshold: number;
  /** What the tokens' spans count in. Content guards: the text as given. Trajectory guards: as rendered for the model. */
  text: string;
  /** The tokens that the model sees, in order. */
  tokens: TracedToken[];
  /** Tokens of the item that the model does not see, because it is too long for the guard. */
  omittedTokens: number;
}

/** Which tokens of a long item the model sees: those before `head` and the last `tail`. */
export interface KeptTokens {
  head: number;
  tail: number;
}

/** Puts the scores of prefixes to the pieces of text that their last tokens stand for. */
export function traceOf(
  text: AlignedText,
  given: string,
  { tokenIds, spans }: TokenSpans,
  kept: number[],
  scores: Float32Array,
  threshold: number,
): Trace {
  const tokens = kept.map((token, i): TracedToken => {
    const span = spans[token] ?? { start: 0, end: 0 };
    return { ...text.originOf(span), tokenId: tokenIds[token] ?? 0, score: scores[i] ?? Number.NaN };
  });
  const score = scores.at(-1) ?? Number.NaN;
  return {
    score,
    isHarmful: score >= threshold,
    threshold,
    text: given,
    tokens,
    omittedTokens: tokenIds.length - kept.length,
  };
}
