const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

/** What a client may ask of the server. */
export interface Limits {
  /** Of a JSON body. */
  bodyBytes: number;
  /** Of an uploaded file. */
  uploadBytes: number;
  /** Requests of one key (or, without keys, of one address) within a minute. */
  requestsPerMinute: number;
  /** Wrong keys of one address within a minute. */
  wrongKeysPerMinute: number;
  /** How deep arrays and objects of a JSON body may stand in each other. */
  jsonDepth: number;
  /** Streams that are open at once. */
  streams: number;
  /** A stream ends when nothing is pushed for so long. */
  streamIdleSeconds: number;
  /** Someone who is signed in on the page has to show the key again after so long. */
  sessionSeconds: number;
}

export const DEFAULT_LIMITS = {
  bodyBytes: 16 * MB,
  uploadBytes: 2 * GB,
  requestsPerMinute: 6_000,
  wrongKeysPerMinute: 20,
  jsonDepth: 100,
  streams: 1_000,
  streamIdleSeconds: 60,
  sessionSeconds: 7 * 24 * 60 * 60,
} as const satisfies Limits;
