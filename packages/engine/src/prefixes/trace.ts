import { AlignedText, type ContentInput, cleanTextAligned, type Span, textOf } from '@tocsin/siren';
import { headAndTail } from '../items/head-and-tail.js';
import type { Item, Preparation } from '../items/preparation.js';
import type { TokenSpans } from '../items/tokenizer.js';

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
  /** Tokens of the item that the model does not see, because it is too long for the guard. Of an item far too long, an estimate. */
  omittedTokens: number;
}

/** An item's tokens, and which of them the model sees. */
export interface TracedItem {
  /** What `given` became before it was tokenized. */
  prepared: AlignedText;
  /** What the spans of the trace count in. */
  given: string;
  spans: TokenSpans;
  /** Indices of the tokens that the model sees, in order. */
  kept: number[];
}

/**
 * An item as the guard sees it, with the way back: a text cleaned and cut on the right, or a trajectory rendered and
 * without its middle.
 */
export async function tracedItem(
  preparation: Preparation,
  maxLength: number,
  item: Item,
): Promise<TracedItem> {
  // Refuses what this guard cannot score, before anything else is made of it.
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

/** Puts the score of every prefix to the piece of text that its last token stands for. */
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
