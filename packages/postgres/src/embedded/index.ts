export { type Binaries, findBinaries } from './binaries.js';
export { defaultDataDir } from './data-dir.js';
export type { EmbeddedServer } from './embedded-server.js';
export { SERVER_SETTINGS } from './settings.js';
export { type EmbeddedOptions, startEmbedded } from './start-embedded.js';
