import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GoldenGuard, goldenDirs } from '@tocsin/siren/testing';

/** The content of a test repository and who may read it. */
export interface HubRepo {
  files: Map<string, Uint8Array>;
  /** 40 hex digits. Derived from the files by default. */
  commit?: string;
  /** Branches and tags besides `main`, all at the only commit. */
  revisions?: string[];
  /** Files need a token with access. */
  gated?: boolean;
  /** Hidden without a token. */
  private?: boolean;
}

/** The files of a flat directory, as a repository's. */
function filesOf(dir: string): Map<string, Uint8Array> {
  return new Map(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))]));
}

/** A commit hash derived from the files. */
export function commitOf(repo: HubRepo): string {
  if (repo.commit !== undefined) return repo.commit;
  const hash = createHash('sha1');
  for (const [name, bytes] of repo.files) hash.update(name).update(bytes);
  return hash.digest('hex');
}

/** Whether a file is stored in LFS, by the hub's rules on names. */
export function isLarge(path: string): boolean {
  return /\.(safetensors|gguf)$/.test(path);
}

/** The hash that names a file's content: sha256 for LFS, otherwise git's. */
export function hashOf(path: string, bytes: Uint8Array): string {
  return isLarge(path) ? createHash('sha256').update(bytes).digest('hex') : gitHash(bytes);
}

/** A file as the API describes it. */
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

export const GUARD_REPO = 'lab/SIREN-tiny';
export const BACKBONE_REPO = 'vendor/tiny';

/**
 * A golden guard as two repositories: its artifact, which pins the backbone's commit as released ones do, and its
 * backbone, with additional files that guards do not need.
 */
export function goldenRepos(guard: GoldenGuard | 'qwen3-agent'): {
  [GUARD_REPO]: HubRepo;
  [BACKBONE_REPO]: HubRepo;
} {
  const dirs = goldenDirs(guard);
  const backbone: HubRepo = { files: filesOf(dirs.backbone) };
  backbone.files.set('README.md', Buffer.from('# A tiny model\n'));
  backbone.files.set('pytorch_model.bin', Buffer.from('not read'));
  const artifact = filesOf(dirs.artifact);
  artifact.set('siren_config.json', pinned(artifact, commitOf(backbone)));
  return { [GUARD_REPO]: { files: artifact, revisions: ['v1'] }, [BACKBONE_REPO]: backbone };
}

function pinned(artifact: Map<string, Uint8Array>, revision: string): Uint8Array {
  const text = new TextDecoder().decode(artifact.get('siren_config.json'));
  const config = JSON.parse(text) as { base_model: object };
  config.base_model = { ...config.base_model, model_id: BACKBONE_REPO, revision };
  return new TextEncoder().encode(JSON.stringify(config));
}
