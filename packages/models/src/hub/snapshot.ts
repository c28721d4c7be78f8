import { modelInfo, pathsInfo } from '@huggingface/hub';
import { codeOf, UserError } from '@tocsin/core';
import { bytesText, noSpace, requireSpace } from '../cache/disk.js';
import { downloadBlob, type RemoteFile } from './download-blob.js';
import type { Hub } from './hub.js';
import type { CachedRepo } from './hub-cache.js';
import { explain, isUnreachable } from './hub-errors.js';
import { COMMIT, DEFAULT_REVISION, type HubPin, type HubRef } from './hub-ref.js';
import { withHubRetry } from './retry.js';

/** One commit of a repository: its cached files, and those the hub can add. */
export class Snapshot {
  readonly pin: HubPin;
  readonly dir: string;
  readonly #hub: Hub;
  readonly #repo: CachedRepo;

  private constructor(hub: Hub, repo: CachedRepo, pin: HubPin) {
    this.#hub = hub;
    this.#repo = repo;
    this.pin = pin;
    this.dir = repo.snapshotDir(pin.commit);
  }

  /**
   * Resolves a revision to a commit. A commit needs no network. A branch or tag is resolved by the hub; when it is
   * unreachable, the last known commit is used, with a note.
   * @throws UserError when there is no such repository or revision, or nothing to ask and nothing in the cache
   */
  static async open(hub: Hub, { repo, revision = DEFAULT_REVISION }: HubRef): Promise<Snapshot> {
    const cached = hub.repo(repo);
    const commit = COMMIT.test(revision) ? revision : await commitOf(hub, cached, revision);
    return new Snapshot(hub, cached, { repo, revision, commit });
  }

  /** True when a variable forbids the network. */
  get offline(): boolean {
    return this.#hub.connection.settings.offline !== undefined;
  }

  /** Reports that something differs from the request. */
  note(message: string): void {
    this.#hub.tell({ step: 'note', message });
  }

  has(file: string): Promise<boolean> {
    return this.#repo.has(this.pin.commit, file);
  }

  /** True when the file is cached, or known not to exist in the repository. */
  async isSettled(file: string): Promise<boolean> {
    return (await this.has(file)) || this.#repo.lacks(this.pin.commit, file);
  }

  /**
   * Asks the hub which of some files exist. Remembers the missing ones.
   * @throws UserError, also when the network is forbidden or down
   */
  async list(files: readonly string[]): Promise<Map<string, RemoteFile>> {
    const { connection } = this.#hub;
    await this.#requireNetwork(files);
    const { repo, commit } = this.pin;
    const found = await this.#asking(undefined, () =>
      withHubRetry(
        () =>
          pathsInfo({
            repo: { type: 'model', name: repo },
            revision: commit,
            paths: [...files],
            hubUrl: connection.settings.endpoint,
            fetch: connection.fetchWhole,
          }),
        this.#retry(),
      ),
    );
    const remote = new Map<string, RemoteFile>();
    for (const { path, type, size, oid, lfs } of found) {
      const hash = lfs?.oid ?? oid;
      if (type !== 'file' || hash === undefined || !files.includes(path)) continue;
      remote.set(path, { path, size: lfs?.size ?? size, hash });
    }
    for (const file of files) {
      if (!remote.has(file)) await this.#repo.markLacking(commit, file);
    }
    return remote;
  }

  /**
   * Downloads the missing files of the snapshot, one after the other.
   * @param label what they belong to, for display
   */
  async download(files: readonly RemoteFile[], label: string): Promise<void> {
    const { commit } = this.pin;
    const missing: RemoteFile[] = [];
    for (const file of files) if (!(await this.has(file.path))) missing.push(file);
    if (missing.length === 0) return;
    const transfer = new Transfer(this.#hub, label, missing);
    try {
      await this.#checkSpace(missing);
      transfer.start();
      for (const file of missing) {
        await this.#asking(file.path, () => this.#downloadOne(file, transfer));
        await this.#repo.linkBlob(commit, file.path, file.hash);
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error;
      throw noSpace(this.#repo.dir, 'the file system is full', error);
    }
  }

  /** Records the revision's commit, once it is complete. */
  async settle(): Promise<void> {
    await this.#repo.writeRef(this.pin.revision, this.pin.commit);
  }

  /** The error for missing files when the network is forbidden. */
  async #requireNetwork(files: readonly string[]): Promise<void> {
    const { offline } = this.#hub.connection.settings;
    if (offline === undefined) return;
    const missing: string[] = [];
    for (const file of files) if (!(await this.has(file))) missing.push(file);
    throw offlineError(offline, this.pin, `lacks ${missing.join(', ')}`, this.#repo.dir);
  }

  async #downloadOne(file: RemoteFile, transfer: Transfer): Promise<void> {
    const { connection, retryTiming, lockTiming, signal, tell } = this.#hub;
    await downloadBlob(connection, this.#repo, this.pin.commit, file, {
      retryTiming,
      lockTiming,
      signal,
      onBytes: (bytes) => transfer.move(file.path, bytes),
      onNote: (message) => tell({ step: 'wait', message }),
    });
  }

  async #checkSpace(files: readonly RemoteFile[]): Promise<void> {
    const dir = await this.#repo.prepare();
    let bytes = 0;
    for (const file of files) bytes += await this.#repo.bytesMissing(file.hash, file.size);
    await requireSpace(dir, bytes);
  }

  async #asking<T>(file: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explain(error, { ...this.pin, file }, this.#hub.connection.settings);
    }
  }

  #retry() {
    return { timing: this.#hub.retryTiming, signal: this.#hub.signal };
  }
}

async function commitOf(hub: Hub, cached: CachedRepo, revision: string): Promise<string> {
  const { connection, retryTiming, signal } = hub;
  const { settings } = connection;
  const known = await cached.readRef(revision);
  const { repo } = cached;
  if (settings.offline !== undefined) {
    if (known !== undefined) return known;
    throw offlineError(settings.offline, { repo, revision }, 'does not contain it', cached.dir);
  }
  const ask = () =>
    modelInfo({
      name: repo,
      revision,
      additionalFields: ['sha'],
      hubUrl: settings.endpoint,
      fetch: connection.fetchWhole,
    });
  try {
    // With a cached commit there is a fallback: no need for all retries.
    const timing = known === undefined ? retryTiming : { ...retryTiming, retries: 1 };
    const { sha } = await withHubRetry(ask, { timing, signal });
    if (COMMIT.test(sha)) return sha;
    throw new UserError(`${settings.endpoint} names no commit for ${repo}@${revision}: ${sha}`, {
      hint: 'Is HF_ENDPOINT the address of a hub?',
    });
  } catch (error) {
    const explained = explain(error, { repo, revision }, settings);
    if (known === undefined || !isUnreachable(error)) throw explained;
    const reason = explained instanceof Error ? explained.message : String(explained);
    hub.tell({
      step: 'note',
      message: `${reason}. Going on with commit ${known} of ${repo}, which ${revision} was when the hub was last asked`,
    });
    return known;
  }
}

function offlineError(
  variable: string,
  { repo, revision }: { repo: string; revision: string },
  lack: string,
  dir: string,
): UserError {
  return new UserError(
    `${repo}@${revision} is needed, ${variable} forbids to fetch it, and the cache ${lack} (${dir})`,
    {
      hint:
        `Unset ${variable} once and run \`tocsin guards pull <guard>\`; or do that on a machine with a network and copy ` +
        'the directory that HF_HOME names.',
    },
  );
}

/** Minimum time between two progress events (ms). */
const PROGRESS_EVERY_MS = 100;

/** Progress of one download. */
export class Transfer {
  readonly #hub: Hub;
  readonly #label: string;
  readonly #bytesOf = new Map<string, number>();
  readonly #total: number;
  #reportedAt = 0;
  #reported = -1;

  constructor(hub: Hub, label: string, files: readonly { path: string; size: number }[]) {
    this.#hub = hub;
    this.#label = label;
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path } of files) this.#bytesOf.set(path, 0);
  }

  start(): void {
    const files = this.#bytesOf.size;
    const what = files === 1 ? [...this.#bytesOf.keys()].join('') : `${files} files`;
    this.#hub.tell({
      step: 'fetch',
      message: `Fetching ${this.#label}: ${what}, ${bytesText(this.#total)}`,
    });
  }

  /** @param bytes received of this file */
  move(file: string, bytes: number): void {
    this.#bytesOf.set(file, bytes);
    const done = [...this.#bytesOf.values()].reduce((sum, value) => sum + value, 0);
    const now = performance.now();
    if (done === this.#reported || (now - this.#reportedAt < PROGRESS_EVERY_MS && done < this.#total)) return;
    this.#reportedAt = now;
    this.#reported = done;
    this.#hub.tellBytes({ label: this.#label, file, done, total: this.#total });
  }
}
