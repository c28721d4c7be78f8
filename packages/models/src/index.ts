export { type NamedModel, readNamedModel } from './base-model.js';
export { bytesText } from './bytes-text.js';
export { type CacheOptions, cacheDirectory, type Environment } from './cache-directory.js';
export { type DiskUsage, diskUsage } from './disk-usage.js';
export { sha256OfFile } from './file-digest.js';
export { findPip, type Pip } from './find-pip.js';
export {
  type CachedCommit,
  type CachedRepoInfo,
  cachedRepo,
  cachedRepos,
  pathsOfRepo,
  repoUsage,
} from './hub/cached-repos.js';
export type { HubOptions } from './hub/hub.js';
export { type HubPin, type HubRef, parseHubRef, textOfPin } from './hub/hub-ref.js';
export { type HubSettings, hubCacheDirectory, hubSettings } from './hub/hub-settings.js';
export { reachHub, type TokenState } from './hub/reach-hub.js';
export { type PipDownloadOptions, pipDownload } from './pip-download.js';
export { RELEASED_GUARDS, type ReleasedGuard } from './released-guards.js';
export { resolveBackbone } from './resolve-backbone.js';
export {
  type LocatedArtifact,
  type ResolveGuardOptions,
  resolveArtifact,
  resolveGuard,
} from './resolve-guard.js';
export { type CommandResult, runCommand } from './run-command.js';
export { type ScratchLockOptions, withScratchLock } from './scratch-lock.js';
export type {
  ArtifactSource,
  BackboneSource,
  GuardSource,
  ModelEvent,
  TransferredBytes,
} from './sources.js';
export { labelOf, STARTER, starterBackboneFile } from './starter.js';
export { type UnzippedMember, unzipMember } from './unzip-member.js';
