import { DEFAULT_ADMISSION } from '@tocsin/pipeline';

const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

/** What a client may ask of the server. */
export interface Limits {
  /** Of a JSON body. */
  bodyBytes: number;
  /** JSON bodies of all keys that may be in memory: being read, or not yet answered. */
  pendingBodyBytes: number;
  /** JSON bodies of one key. */
  pendingBodyBytesPerKey: number;
  /** Of all files of an upload together. */
  uploadBytes: number;
  /** Free bytes that an upload must leave on the disk. */
  diskHeadroomBytes: number;
  /** Rows that the open runs of one key may have together. */
  rowsPerKey: number;
  /** Corpora of one key that are being read into runs at once. */
  submissionsPerKey: number;
  /** Interactive requests: items that may be pending (asked for, and not yet answered) of all keys. */
  pendingItems: number;
  /** Tokens of all keys that may be pending. */
  pendingTokens: number;
  /** Items of one key that may be pending. */
  pendingItemsPerKey: number;
  /** Tokens of one key that may be pending. */
  pendingTokensPerKey: number;
  /** Open connections. */
  connections: number;
  /** A JSON body must arrive within this time; an upload must bring 1 KiB/s over it. */
  slowBodySeconds: number;
  /** Requests of one key (or, without keys, of one address) within a minute. */
  requestsPerMinute: number;
  /** Requests of one key that are worked at at once; scoring, uploads, exports and event streams have bounds of their own. */
  requestsAtOncePerKey: number;
  /** Exports and downloads of all keys that may be under way. */
  exports: number;
  exportsPerKey: number;
  /** Connections of all keys that may wait for server-sent events. */
  eventStreams: number;
  eventStreamsPerKey: number;
  /** Wrong keys of one address within a minute. */
  wrongKeysPerMinute: number;
  /** How deep arrays and objects of a JSON body may stand in each other. */
  jsonDepth: number;
  /** Streams that are open at once. */
  streams: number;
  /** Streams of one key that are open at once. */
  streamsPerKey: number;
  /** A stream ends when nothing is pushed for so long. */
  streamIdleSeconds: number;
  /** Someone who is signed in on the page has to show the key again after so long. */
  sessionSeconds: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 16 * MB,
  pendingBodyBytes: 64 * MB,
  pendingBodyBytesPerKey: 8 * MB,
  uploadBytes: 2 * GB,
  diskHeadroomBytes: GB,
  rowsPerKey: 20_000_000,
  submissionsPerKey: 4,
  pendingItems: DEFAULT_ADMISSION.items,
  pendingTokens: DEFAULT_ADMISSION.tokens,
  pendingItemsPerKey: DEFAULT_ADMISSION.clientItems,
  pendingTokensPerKey: DEFAULT_ADMISSION.clientTokens,
  connections: 2_000,
  slowBodySeconds: 30,
  requestsPerMinute: 6_000,
  requestsAtOncePerKey: 4,
  exports: 8,
  exportsPerKey: 2,
  eventStreams: 1_000,
  eventStreamsPerKey: 100,
  wrongKeysPerMinute: 20,
  jsonDepth: 100,
  streams: 1_000,
  streamsPerKey: 250,
  streamIdleSeconds: 60,
  sessionSeconds: 7 * 24 * 60 * 60,
};
