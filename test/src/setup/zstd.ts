const BLOCK_BYTES = 128 * 1024;

/** A zstd file of blocks that are stored as they are (RFC 8878, 3.1.1): Node 20 cannot write zstd. */
export function storedZst(content: Buffer): Buffer {
  const twoMegabytes = 0x58;
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, twoMegabytes])];
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    const block = content.subarray(at, at + BLOCK_BYTES);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (at + BLOCK_BYTES >= content.length ? 1 : 0), 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}
