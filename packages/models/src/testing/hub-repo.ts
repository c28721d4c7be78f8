import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a test's repository holds, and who may read it. */
export interface HubRepo {
  files: Map<string, Uint8Array>;
  /** 40 hex digits. Made from the files when not given. */
  commit?: string;
  /** Branches and tags besides `main`, each at the repository's one commit. */
  revisions?: string[];
  /** Its files are only for tokens that were let in. */
  gated?: boolean;
  /** Nobody without a token is told that it exists. */
  private?: boolean;
}

/** The files of a directory (no directories in it), as a repository's. */
export function filesOf(dir: string): Map<string, Uint8Array> {
  return new Map(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))]));
}

/** A commit's hash: of no meaning, and another one for other files. */
export function commitOf(repo: HubRepo): string {
  if (repo.commit !== undefined) return repo.commit;
  const hash = createHash('sha1');
  for (const [name, bytes] of repo.files) hash.update(name).update(bytes);
  return hash.digest('hex');
}

/** Large files are kept apart from git (LFS), as the hub's rules say by their names. */
export function isLarge(path: string): boolean {
  return /\.(safetensors|gguf)$/.test(path);
}

/** The hash that names a file's content: sha256 of a large one, git's own of the others. */
export function hashOf(path: string, bytes: Uint8Array): string {
  return isLarge(path) ? createHash('sha256').update(bytes).digest('hex') : gitHash(bytes);
}

/** What the API says of a file. */
export function entryOf(path: string, bytes: Uint8Array): Record<string, unknown> {
  const entry = { type: 'file', path, size: bytes.length };
  if (!isLarge(path)) return { ...entry, oid: gitHash(bytes) };
  const oid = hashOf(path, bytes);
  const pointer = Buffer.from(`version 1\noid sha256:${oid}\nsize ${bytes.length}\n`);
  return {
    ...entry,
    oid: gitHash(pointer),
    lfs: { oid, size: bytes.length, pointerSize: pointer.length },
  };
}

function gitHash(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`, 'latin1').update(bytes).digest('hex');
}
