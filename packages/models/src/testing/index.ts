/** For tests, of this package and of those above it: a hub and a proxy on loopback. */
export { BACKBONE_REPO, GUARD_REPO, goldenRepos } from './golden-repos.js';
export { filesOf, type HubRepo, hashOf } from './hub-repo.js';
export { type HubRequest, HubServer } from './hub-server.js';
export { ProxyServer } from './proxy-server.js';
export type { Fault } from './send-bytes.js';
