/** What the model sees of an item, and its identity. */
export interface Content {
  tokenIds: Int32Array;
  /** sha256 of the ids, 32 bytes. */
  hash: Buffer;
  truncated: boolean;
}
