import { DEFAULT_LIMITS as L, type Limits } from '@tocsin/dashboard/limits';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { portNumber } from '../options/metrics-options.js';

/** Where the API and the page are served, and what they may do. */
export interface DashboardFlags {
  host: string;
  port: number;
  trustProxy?: string[];
  corpusRoot?: string[];
  pendingItems: number;
  pendingTokens: number;
  pendingItemsPerKey: number;
  pendingTokensPerKey: number;
  bodyMib: number;
  pendingBodyMib: number;
  pendingBodyMibPerKey: number;
  uploadMib: number;
  rowsPerKey: number;
  submissionsPerKey: number;
  connections: number;
  requestsPerMinute: number;
  requestsAtOncePerKey: number;
  exports: number;
  exportsPerKey: number;
  eventStreams: number;
  eventStreamsPerKey: number;
  streams: number;
  streamsPerKey: number;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8080;

export function addDashboardOptions(command: Command): Command {
  return command
    .option('--host <address>', 'address to listen at; any but loopback needs a key', DEFAULT_HOST)
    .option('--port <port>', 'port to listen at; 0 takes any free port', portNumber, DEFAULT_PORT)
    .option(
      '--trust-proxy <addresses>',
      'proxies whose X-Forwarded-For header is trusted, e.g. 10.0.0.0/8',
      list,
    )
    .option(
      '--corpus-root <dir>',
      'directory that schedules from the page and the API may read; may be repeated',
      several,
    )
    .addOption(limit('pending-items', 'pending interactive items of all keys', L.pendingItems))
    .addOption(limit('pending-tokens', 'tokens of pending interactive items of all keys', L.pendingTokens))
    .addOption(limit('pending-items-per-key', 'pending interactive items of one key', L.pendingItemsPerKey))
    .addOption(
      limit(
        'pending-tokens-per-key',
        'tokens of pending interactive items of one key',
        L.pendingTokensPerKey,
      ),
    )
    .addOption(limit('body-mib', 'size of a JSON body, in MiB', L.bodyBytes / MIB))
    .addOption(
      limit('pending-body-mib', 'JSON bodies of all keys in memory, in MiB', L.pendingBodyBytes / MIB),
    )
    .addOption(
      limit(
        'pending-body-mib-per-key',
        'JSON bodies of one key in memory, in MiB',
        L.pendingBodyBytesPerKey / MIB,
      ),
    )
    .addOption(limit('upload-mib', 'size of one upload with all its files, in MiB', L.uploadBytes / MIB))
    .addOption(limit('rows-per-key', 'rows of the unfinished runs of one key', L.rowsPerKey))
    .addOption(limit('submissions-per-key', 'corpora of one key read at the same time', L.submissionsPerKey))
    .addOption(limit('connections', 'open connections', L.connections))
    .addOption(limit('requests-per-minute', 'requests of one key per minute', L.requestsPerMinute))
    .addOption(
      limit(
        'requests-at-once-per-key',
        'requests of one key processed at the same time; more wait',
        L.requestsAtOncePerKey,
      ),
    )
    .addOption(limit('exports', 'simultaneous exports and downloads of all keys', L.exports))
    .addOption(limit('exports-per-key', 'simultaneous exports and downloads of one key', L.exportsPerKey))
    .addOption(limit('event-streams', 'event streams of all keys', L.eventStreams))
    .addOption(limit('event-streams-per-key', 'event streams of one key', L.eventStreamsPerKey))
    .addOption(limit('streams', 'open scoring streams of all keys', L.streams))
    .addOption(limit('streams-per-key', 'open scoring streams of one key', L.streamsPerKey));
}

const MIB = 1024 * 1024;

/** An option that a variable sets too: `--pending-items` is `TOCSIN_PENDING_ITEMS`. */
function limit(name: string, description: string, byDefault: number): Option {
  return new Option(`--${name} <number>`, description)
    .env(`TOCSIN_${name.toUpperCase().replaceAll('-', '_')}`)
    .argParser(wholeNumber)
    .default(byDefault);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= Number.MAX_SAFE_INTEGER) return number;
  throw new InvalidArgumentError('A whole number of 1 or more was expected.');
}

/** The limits that the options set. */
export function limitsOf(flags: DashboardFlags): Partial<Limits> {
  const { bodyMib, pendingBodyMib, pendingBodyMibPerKey, uploadMib, ...others } = flags;
  const names = Object.keys(L) as (keyof Limits)[];
  const given = names.filter((name): name is keyof Limits & keyof typeof others => name in others);
  return {
    ...Object.fromEntries(given.map((name) => [name, others[name]])),
    bodyBytes: bodyMib * MIB,
    pendingBodyBytes: pendingBodyMib * MIB,
    pendingBodyBytesPerKey: pendingBodyMibPerKey * MIB,
    uploadBytes: uploadMib * MIB,
  };
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** An option that may be given more than once. */
export const several = (value: string, before: string[] = []): string[] => [...before, value];
