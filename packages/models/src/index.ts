export { type CacheOptions, cacheDirectory, type Environment } from './cache-directory.js';
export { sha256OfFile } from './file-digest.js';
export { type PipDownloadOptions, pipDownload } from './pip-download.js';
export { redactUrls } from './redact-urls.js';
export { resolveBackbone } from './resolve-backbone.js';
export { type ResolveGuardOptions, resolveGuard } from './resolve-guard.js';
export { type ScratchLockOptions, withScratchLock } from './scratch-lock.js';
export type { ArtifactSource, BackboneSource, GuardSource, ModelEvent } from './sources.js';
export { type UnzippedMember, unzipMember } from './unzip-member.js';
