/** int32 values as little-endian bytes, as every platform that onnxruntime-node runs on has them in memory. */
export function bytesOf(values: readonly Int32Array[]): Buffer {
  return Buffer.concat(values.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
}

/** How many tokens each content has, in the same way. */
export function lengthsOf(tokenIds: readonly Int32Array[]): Buffer {
  return bytesOf([Int32Array.from(tokenIds, (ids) => ids.length)]);
}

/** int32 values of such bytes. */
export function int32Of(bytes: Buffer): Int32Array {
  return new Int32Array(Uint8Array.from(bytes).buffer);
}
