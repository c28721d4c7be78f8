import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, UserError } from '@tocsin/core';
import { type LockTiming, withScratchLock } from '../cache/scratch-lock.js';
import { type BlobIdentity, BlobWriter } from './blob-writer.js';
import type { CachedRepo } from './hub-cache.js';
import type { HubConnection } from './hub-connection.js';
import { HubNetworkError } from './hub-errors.js';
import { type RetryTiming, withHubRetry } from './retry.js';

/** A file of a commit, as the hub describes it. */
export interface RemoteFile extends BlobIdentity {
  path: string;
}

export interface DownloadOptions {
  retryTiming: RetryTiming;
  lockTiming?: LockTiming | undefined;
  signal?: AbortSignal | undefined;
  /** Bytes of the file that are here by now; it can shrink, when a try begins again. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Another process fetches it, or a try failed and there will be another. */
  onNote?: ((message: string) => void) | undefined;
}

/**
 * Brings a file's bytes into the cache: from where an earlier try ended, checked against the hash that the hub names, and
 * only once when several processes want it. (`@huggingface/hub` has `downloadFileToCacheDir`; it starts again after a cut,
 * checks no hash, and two processes write to one file.)
 *
 * @throws UserError when the bytes are not those that the hub promised (they are removed), HubResponseError or
 *   HubNetworkError when tries are used up (what came is kept), the file system's own errors
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
  // Python's locks are `<hash>.lock` and stay behind unlocked: theirs says nothing to us, ours nothing to them.
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
      // A process that took our lock while we slept was quicker.
      if (codeOf(error) !== 'ENOENT' || !(await repo.hasBlob(file.hash, file.size))) throw error;
    });
    return;
  }
  await rm(part, { force: true });
  if (!resumed) throw mismatch(url, file, writer.position, digest);
  // What lay there from an earlier try may be what was wrong: once more, from the first byte.
  options.onNote?.(`${file.path}: the part that was fetched earlier is damaged; fetching it anew`);
  await receive(hub, repo, commit, file, options);
}

/** One request for what is missing. @throws HubNetworkError when it ended early */
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
  const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
  const response = await hub.fetch(url, { headers });
  if (from > 0 && !startsAt(response, from)) writer.restart();
  for await (const chunk of hub.chunksOf(url, response)) {
    await writer.write(chunk);
    onBytes?.(writer.position);
    // More than the whole: the hash will not fit, and the rest is not worth the wait.
    if (writer.position > size) return;
  }
  if (writer.isComplete) return;
  throw new HubNetworkError(url, `it ended after ${writer.position} of ${size} bytes`, { code: 'CUT' });
}

/** Did the server give the part that was asked for? Some give the whole file, as they may. */
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
