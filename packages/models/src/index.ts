export { bytesText } from './cache/bytes-text.js';
export { type CacheOptions, cacheDirectory, type Environment } from './cache/cache-directory.js';
export { type DiskUsage, diskUsage } from './cache/disk-usage.js';
export { sha256OfFile } from './cache/file-digest.js';
export { type ScratchLockOptions, withScratchLock } from './cache/scratch-lock.js';
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
export { type NamedModel, readNamedModel } from './resolve/base-model.js';
export { RELEASED_GUARDS, type ReleasedGuard } from './resolve/released-guards.js';
export { resolveBackbone } from './resolve/resolve-backbone.js';
export {
  type LocatedArtifact,
  type ResolveGuardOptions,
  resolveArtifact,
  resolveGuard,
} from './resolve/resolve-guard.js';
export type {
  ArtifactSource,
  BackboneSource,
  GuardSource,
  ModelEvent,
  TransferredBytes,
} from './resolve/sources.js';
export { findPip, type Pip } from './starter/find-pip.js';
export { type PipDownloadOptions, pipDownload } from './starter/pip-download.js';
export { type CommandResult, runCommand } from './starter/run-command.js';
export { labelOf, STARTER, starterBackboneFile } from './starter/starter.js';
export { type UnzippedMember, unzipMember } from './starter/unzip-member.js';
