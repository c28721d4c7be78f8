import { DEFAULT_ADMISSION } from '@tocsin/pipeline';

const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

/** Limits on what clients may request. */
export interface Limits {
  /** Bytes of a JSON body. */
  bodyBytes: number;
  /** Bytes of the JSON bodies in memory, being read or not yet answered, of all keys. */
  pendingBodyBytes: number;
  /** The same for one key. */
  pendingBodyBytesPerKey: number;
  /** Bytes of all files of an upload together. */
  uploadBytes: number;
  /** Free bytes that an upload must leave on the disk. */
  diskHeadroomBytes: number;
  /** Rows in the open runs of one key. */
  rowsPerKey: number;
  /** Concurrent submissions of one key. */
  submissionsPerKey: number;
  /** Pending interactive items (requested and not yet answered) of all keys. */
  pendingItems: number;
  /** Pending tokens of all keys. */
  pendingTokens: number;
  /** Pending items of one key. */
  pendingItemsPerKey: number;
  /** Pending tokens of one key. */
  pendingTokensPerKey: number;
  /** Open connections. */
  connections: number;
  /** Seconds in which a JSON body must arrive and an upload must make progress of at least 1 KiB/s. */
  slowBodySeconds: number;
  /** Requests per minute of one key or, without keys, of one address. */
  requestsPerMinute: number;
  /** Concurrent requests of one key. Scoring, uploads, exports and event streams have limits of their own. */
  requestsAtOncePerKey: number;
  /** Concurrent exports and downloads of all keys. */
  exports: number;
  exportsPerKey: number;
  /** Connections for server-sent events of all keys. */
  eventStreams: number;
  eventStreamsPerKey: number;
  /** Wrong keys per minute of one address. */
  wrongKeysPerMinute: number;
  /** Nesting depth of arrays and objects in a JSON body. */
  jsonDepth: number;
  /** Open streams. */
  streams: number;
  /** Open streams of one key. */
  streamsPerKey: number;
  /** Seconds after which an idle stream ends. */
  streamIdleSeconds: number;
  /** Seconds after which a session of the page expires. */
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
