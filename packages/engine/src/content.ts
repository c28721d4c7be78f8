import { cleanText, contentHash } from '@tocsin/siren';
import type { Tokenizer } from './tokenizer.js';

/** What the model sees of an item, and its identity. */
export interface Content {
  tokenIds: Int32Array;
  /** sha256 of the ids, 32 bytes. */
  hash: Buffer;
  truncated: boolean;
}

/** Cleans, tokenizes and hashes texts: all that happens to an item before the forward pass. */
export async function prepareContents(tokenizer: Tokenizer, texts: string[]): Promise<Content[]> {
  const tokenized = await tokenizer.encode(texts.map(cleanText));
  return tokenized.map(({ tokenIds, truncated }) => ({ tokenIds, truncated, hash: contentHash(tokenIds) }));
}
