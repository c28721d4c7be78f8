export type { EmbeddedServer } from './embedded-server.js';

export { startEmbedded } from './start-embedded.js';
