import { AlignedText, type ContentInput, cleanTextAligned, type Span, textOf } from '@tocsin/siren';
import type { Item, Preparation } from '../items/preparation.js';
import { headAndTail, type TokenSpans } from '../items/tokenizer.js';

/** A token of a traced item. */
export interface TracedToken extends Span {
  tokenId: number;
  /** P(harmful) of the item up to this token. */
  score: number;
}

/** The score after every token of an item, from one forward pass: shows where it turns harmful. */
export interface Trace {
  /** Of the whole item, i.e. at the last token. */
  score: number;
  /** score >= threshold */
  isHarmful: boolean;
  threshold: number;
  /** The text that spans refer to. Content guards: as given. Trajectory guards: as rendered for the model. */
  text: string;
  /** The tokens that the model sees, in order. */
  tokens: TracedToken[];
  /** Tokens that the model does not see, because the item is too long; for a very long item an estimate. */
  omittedTokens: number;
}

/** An item's tokens, and those that the model sees. */
export interface TracedItem {
  /** `given` after cleaning or rendering. */
  prepared: AlignedText;
  /** The text that spans refer to. */
  given: string;
  spans: TokenSpans;
  /** Indices of the tokens that the model sees, in order. */
  kept: number[];
}

/**
 * An item as the guard sees it, with a map back to the original: a text cleaned and truncated on the right, or a
 * trajectory rendered and without its middle.
 */
export async function tracedItem(
  preparation: Preparation,
  maxLength: number,
  item: Item,
): Promise<TracedItem> {
  // First rejects what this guard cannot score.
  const text = preparation.textOf(item);
  const given = preparation.task === 'content' ? givenText(item) : text;
  const prepared = preparation.task === 'content' ? cleanTextAligned(given) : AlignedText.of(text);
  const spans = await preparation.tokenizer.encodeSpans(prepared.text, {
    ends: preparation.task === 'trajectory',
  });
  const tokens = spans.tokenIds.length;
  const kept =
    preparation.task === 'content'
      ? Array.from({ length: Math.min(tokens, maxLength) }, (_, token) => token)
      : headAndTail(tokens, maxLength);
  return { prepared, given, spans, kept };
}

const givenText = (item: Item): string =>
  textOf(typeof item === 'string' ? { text: item } : (item as ContentInput));

/** The tokens that the model sees. */
export function seenTokens({ spans, kept }: TracedItem): Int32Array {
  return Int32Array.from(kept, (token) => spans.tokenIds[token] ?? 0);
}

/** Assigns each prefix's score to the span of its last token. */
export function traceOf(item: TracedItem, scores: Float32Array, threshold: number): Trace {
  const { prepared, given, spans, kept } = item;
  const tokens = kept.map((token, i): TracedToken => {
    const tokenId = spans.tokenIds[token];
    const span = spans.spans[token];
    const score = scores[i];
    if (tokenId === undefined || span === undefined || score === undefined) {
      throw new Error(`token ${token} of a traced item has no id, place or score`);
    }
    return { ...prepared.originOf(span), tokenId, score };
  });
  const last = tokens.at(-1);
  if (last === undefined) throw new Error('a traced item has no tokens');
  return {
    score: last.score,
    isHarmful: last.score >= threshold,
    threshold,
    text: given,
    tokens,
    omittedTokens: spans.total - kept.length,
  };
}
