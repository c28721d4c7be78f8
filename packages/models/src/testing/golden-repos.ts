import { type GoldenGuard, goldenDirs } from '@tocsin/siren/testing';
import { commitOf, filesOf, type HubRepo } from './hub-repo.js';

export const GUARD_REPO = 'lab/SIREN-tiny';
export const BACKBONE_REPO = 'vendor/tiny';

/**
 * A golden guard as two repositories: its artifact, which pins the backbone's commit as released ones do, and its backbone,
 * with files that no guard needs.
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
