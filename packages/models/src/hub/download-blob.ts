import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, UserError } from '@tocsin/core';
import { type LockTiming, withScratchLock } from '../cache/scratch-lock.js';
import type { HubConnection } from './hub.js';
import type { CachedRepo } from './hub-cache.js';
import { HubNetworkError } from './hub-errors.js';
import { type RetryTiming, withHubRetry } from './retry.js';

/** A file of a commit, as the hub describes it. */
export interface RemoteFile extends BlobIdentity {
  path: string;
}

export interface DownloadOptions {
  retryTiming: RetryTiming;
  lockTiming?: LockTiming;
  signal?: AbortSignal;
  /** Bytes of the file received so far; decreases when an attempt starts over. */
  onBytes?: (bytes: number) => void;
  /** Another process is fetching it, or a failed attempt will be retried. */
  onNote?: (message: string) => void;
}

/**
 * Downloads a file into the cache: resumes earlier attempts, verifies the hub's hash, and downloads once when several
 * processes want the file. (`downloadFileToCacheDir` of `@huggingface/hub` does not resume, checks no hash, and lets two
 * processes write to one file.)
 *
 * @throws UserError when the hash differs (the bytes are removed), HubResponseError or HubNetworkError when retries are
 *   exhausted (received bytes are kept), file system errors
 */
export async function downloadBlob(
  hub: HubConnection,
  repo: CachedRepo,
  commit: string,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<void> {
  const blob = repo.blobFile(file.hash);
  await mkdir(dirname(blob), { recursive: true });
  await mkdir(repo.locksDir, { recursive: true });
  const work = async (): Promise<void> => {
    // Another process may have fetched it while this one waited.
    if (!(await repo.hasBlob(file.hash, file.size))) await receive(hub, repo, commit, file, options);
    options.onBytes?.(file.size);
  };
  // Python's locks are `<hash>.lock` and stay behind unlocked; neither side honours the other's.
  await withScratchLock(join(repo.locksDir, `${file.hash}.tocsin.lock`), work, {
    signal: options.signal,
    timing: options.lockTiming,
    onWait: () =>
      options.onNote?.(`Another process is fetching ${file.path} of ${repo.repo}; waiting for it`),
  });
}

async function receive(
  hub: HubConnection,
  repo: CachedRepo,
  commit: string,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<void> {
  const blob = repo.blobFile(file.hash);
  const part = `${blob}.incomplete`;
  const url = `${hub.settings.endpoint}/${repo.repo}/resolve/${commit}/${file.path}`;
  const writer = await BlobWriter.open(part, file, options.signal);
  const resumed = writer.position > 0;
  let digest: string;
  try {
    options.onBytes?.(writer.position);
    await withHubRetry(() => receiveRest(hub, url, writer, file, options), {
      timing: options.retryTiming,
      signal: options.signal,
      progress: () => writer.position,
      onRetry: (error, wait) =>
        options.onNote?.(
          `Fetching ${file.path} was cut (${error.message}); again in ${Math.ceil(wait / 1000)} s`,
        ),
    });
    digest = await writer.finish();
  } finally {
    await writer.close();
  }
  if (writer.isComplete && digest === file.hash) {
    await rename(part, blob).catch(async (error: unknown) => {
      // A process that took our lock while we were suspended was faster.
      if (codeOf(error) !== 'ENOENT' || !(await repo.hasBlob(file.hash, file.size))) throw error;
    });
    return;
  }
  await rm(part, { force: true });
  if (!resumed) throw mismatch(url, file, writer.position, digest);
  // The bytes of an earlier attempt may be the wrong ones: try once more from the first byte.
  options.onNote?.(`${file.path}: the part downloaded earlier is damaged; downloading it again`);
  await receive(hub, repo, commit, file, options);
}

/** Requests the missing bytes. @throws HubNetworkError when the response ends early */
async function receiveRest(
  hub: HubConnection,
  url: string,
  writer: BlobWriter,
  { size }: RemoteFile,
  { onBytes }: DownloadOptions,
): Promise<void> {
  if (writer.isComplete) return;
  const from = writer.position;
  // Compressed, a range would be one of other bytes.
  const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
  const response = await hub.fetch(url, { headers });
  if (from > 0 && !startsAt(response, from)) writer.restart();
  for await (const chunk of hub.chunksOf(url, response)) {
    await writer.write(chunk);
    onBytes?.(writer.position);
    // Longer than the file: the hash cannot match.
    if (writer.position > size) return;
  }
  if (writer.isComplete) return;
  throw new HubNetworkError(url, `it ended after ${writer.position} of ${size} bytes`, { code: 'CUT' });
}

/** Whether the server sent the requested range; it may send the whole file instead. */
function startsAt(response: Response, position: number): boolean {
  const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return response.status === 206 && Number(range?.[1]) === position;
}

function mismatch(url: string, file: RemoteFile, bytes: number, digest: string): UserError {
  return new UserError(
    `${file.path} came with other bytes than the hub promised: ${bytes} with hash ${digest}, expected ${file.size} with ${file.hash} (${url})`,
    {
      hint: 'What came was removed. Try again; if it happens again, something between here and the hub (a proxy, a mirror) changes files.',
    },
  );
}

const READ_BYTES = 1 << 20;

/** The expected bytes of a file. */
interface BlobIdentity {
  /** Name in the cache: sha256 of a large file (LFS), git's sha1 of others. */
  hash: string;
  size: number;
}

/**
 * Appends a blob's bytes to a file and hashes them, after hashing the bytes of an earlier attempt. Chunks are written at
 * explicit positions, so that two processes that write the same blob (after a lock was taken over) write the same bytes.
 */
class BlobWriter {
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

  /** Bytes written so far. */
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

  /** Starts over from the first byte. */
  restart(): void {
    this.#hash = newHash(this.#identity);
    this.#position = 0;
  }

  /** Syncs to disk, before a rename. @returns the hash of the bytes, to compare with the blob's name */
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
    // Longer than the file: none of it can be trusted.
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

/** git hashes a header of type and length, a zero byte, and the bytes. */
function newHash({ hash, size }: BlobIdentity): Hash {
  return hash.length === SHA256_DIGITS
    ? createHash('sha256')
    : createHash('sha1').update(`blob ${size}\0`, 'latin1');
}
