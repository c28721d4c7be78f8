export { cacheDirectory } from './cache/cache-directory.js';
export { bytesText, diskUsage, sha256OfFile } from './cache/disk.js';
export { type ScratchLockOptions, withScratchLock } from './cache/scratch-lock.js';
export {
  type CachedRepoInfo,
  cachedRepo,
  cachedRepos,
  pathsOfRepo,
  repoUsage,
} from './hub/cached-repos.js';

export { reachHub } from './hub/hub.js';
export { parseHubRef, textOfPin } from './hub/hub-ref.js';
export { type HubSettings, hubCacheDirectory, hubSettings } from './hub/hub-settings.js';
export { readNamedModel } from './resolve/resolve-backbone.js';
export {
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
export { RELEASED_GUARDS, type ReleasedGuard } from './resolve/sources.js';
export {
  findPip,
  pipDownload,
  runCommand,
} from './starter/pip.js';
export { labelOf, STARTER, starterBackboneFile } from './starter/starter.js';
export { unzipMember } from './starter/unzip-member.js';
