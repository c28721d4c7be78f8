import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const READ_BYTES = 1 << 20;

/** What a file's bytes must be. */
export interface BlobIdentity {
  /** Its name in the cache: the sha256 of a large file (LFS), of others git's sha1. */
  hash: string;
  size: number;
}

/**
 * Writes a blob's bytes to a file from where it ends, and hashes them on the way; the bytes of an earlier try are read
 * and hashed first. Each chunk is written at its own position: two processes that write the same blob (a lock was taken
 * from one that slept) write the same bytes to the same places.
 */
export class BlobWriter {
  readonly #file: FileHandle;
  readonly #identity: BlobIdentity;
  #hash: Hash;
  #position = 0;

  private constructor(file: FileHandle, identity: BlobIdentity) {
    this.#file = file;
    this.#identity = identity;
    this.#hash = newHash(identity);
  }

  static async open(path: string, identity: BlobIdentity, signal?: AbortSignal): Promise<BlobWriter> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
    const writer = new BlobWriter(file, identity);
    try {
      await writer.#readBack(signal);
    } catch (error) {
      await file.close();
      throw error;
    }
    return writer;
  }

  /** Bytes that are there. */
  get position(): number {
    return this.#position;
  }

  get isComplete(): boolean {
    return this.#position === this.#identity.size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    let written = 0;
    while (written < chunk.length) {
      const { bytesWritten } = await this.#file.write(
        chunk,
        written,
        chunk.length - written,
        this.#position + written,
      );
      written += bytesWritten;
    }
    this.#position += chunk.length;
  }

  /** Begins again from the first byte. */
  restart(): void {
    this.#hash = newHash(this.#identity);
    this.#position = 0;
  }

  /** @returns the hash of what was written, to be compared with the blob's name. On the disk, so that no rename can outrun it. */
  async finish(): Promise<string> {
    await this.#file.truncate(this.#position);
    await this.#file.sync();
    return this.#hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #readBack(signal: AbortSignal | undefined): Promise<void> {
    const { size } = await this.#file.stat();
    // Longer than the whole: nothing of it can be trusted.
    if (size > this.#identity.size) return;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    while (this.#position < size) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#file.read(buffer, 0, READ_BYTES, this.#position);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#position += bytesRead;
    }
  }
}

const SHA256_DIGITS = 64;

/** git's hash of a file is the one of its kind and length, a zero byte, and the bytes. */
function newHash({ hash, size }: BlobIdentity): Hash {
  return hash.length === SHA256_DIGITS
    ? createHash('sha256')
    : createHash('sha1').update(`blob ${size}\0`, 'latin1');
}
