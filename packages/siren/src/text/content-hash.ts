import { createHash } from 'node:crypto';

/**
 * The identity of a content: sha256 (32 bytes) of the exact token ids that the model sees, as little-endian 32-bit
 * integers. Two texts with the same ids are the same content, and have the same score.
 */
export function contentHash(tokenIds: Int32Array): Buffer {
  return createHash('sha256').update(bytesOfTokenIds(tokenIds)).digest();
}

/** Token ids as little-endian bytes, 4 an id: what is hashed and what a parcel stores. Shares the memory. */
export function bytesOfTokenIds(tokenIds: Int32Array): Buffer {
  // Every platform that onnxruntime-node ships for is little-endian.
  return Buffer.from(tokenIds.buffer, tokenIds.byteOffset, tokenIds.byteLength);
}

/** The inverse of `bytesOfTokenIds`. Copies, since a Buffer out of a pool need not be aligned. */
export function tokenIdsOfBytes(bytes: Uint8Array): Int32Array {
  if (bytes.byteLength % 4 !== 0) {
    throw new RangeError(`token ids take 4 bytes each, got ${bytes.byteLength} bytes`);
  }
  return new Int32Array(Uint8Array.from(bytes).buffer);
}
