/** Test support for this package and those above it: a hub and a proxy on loopback. */
export { BACKBONE_REPO, GUARD_REPO, goldenRepos, hashOf } from './hub-repo.js';
export { type HubRequest, HubServer } from './hub-server.js';
export { ProxyServer } from './proxy-server.js';
