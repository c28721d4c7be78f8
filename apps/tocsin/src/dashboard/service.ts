import { isIP } from 'node:net';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { App } from '@tocsin/dashboard';
import { DEFAULT_LIMITS as L, type Limits } from '@tocsin/dashboard/limits';
import { openGuard } from '@tocsin/engine';
import { anyKey } from '@tocsin/store';
import { type Command, Option } from 'commander';
import type { Logger } from 'pino';
import { type GuardFlags, guardSource } from '../options/guard-options.js';
import { portNumber } from '../options/metrics-options.js';
import { wholeNumber } from '../options/values.js';
import { allowPrivate, type PrivateWebhookFlags } from '../schedule/serve.js';
import type { Service } from '../services/services.js';
import type { Stack } from '../services/stack.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { VERSION } from '../version.js';

const MIB = 1024 * 1024;

/** Limits that have an option, with its name in `DashboardFlags` and its description. Sizes are in MiB. */
const LIMITS = {
  pendingItems: ['pending interactive items of all keys', L.pendingItems],
  pendingTokens: ['tokens of pending interactive items of all keys', L.pendingTokens],
  pendingItemsPerKey: ['pending interactive items of one key', L.pendingItemsPerKey],
  pendingTokensPerKey: ['tokens of pending interactive items of one key', L.pendingTokensPerKey],
  bodyMib: ['size of a JSON body, in MiB', L.bodyBytes / MIB],
  pendingBodyMib: ['JSON bodies of all keys in memory, in MiB', L.pendingBodyBytes / MIB],
  pendingBodyMibPerKey: ['JSON bodies of one key in memory, in MiB', L.pendingBodyBytesPerKey / MIB],
  uploadMib: ['size of one upload with all its files, in MiB', L.uploadBytes / MIB],
  rowsPerKey: ['rows of the unfinished runs of one key', L.rowsPerKey],
  submissionsPerKey: ['corpora of one key read at the same time', L.submissionsPerKey],
  connections: ['open connections', L.connections],
  requestsPerMinute: ['requests of one key per minute', L.requestsPerMinute],
  requestsAtOncePerKey: ['requests of one key processed at the same time; more wait', L.requestsAtOncePerKey],
  exports: ['simultaneous exports and downloads of all keys', L.exports],
  exportsPerKey: ['simultaneous exports and downloads of one key', L.exportsPerKey],
  eventStreams: ['event streams of all keys', L.eventStreams],
  eventStreamsPerKey: ['event streams of one key', L.eventStreamsPerKey],
  streams: ['open scoring streams of all keys', L.streams],
  streamsPerKey: ['open scoring streams of one key', L.streamsPerKey],
} as const;

/** Where the API and the page are served, and their permissions. */
export interface DashboardFlags extends Record<keyof typeof LIMITS, number> {
  host: string;
  port: number;
  trustProxy?: string[];
  corpusRoot?: string[];
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8080;

export function addDashboardOptions(command: Command): Command {
  command
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
    );
  for (const [name, [description, byDefault]] of Object.entries(LIMITS))
    command.addOption(limit(name, description, byDefault));
  return command;
}

/** An option that an environment variable sets too: `pendingItems` is `--pending-items` and `TOCSIN_PENDING_ITEMS`. */
function limit(name: string, description: string, byDefault: number): Option {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new Option(`--${words} <number>`, description)
    .env(`TOCSIN_${words.toUpperCase().replaceAll('-', '_')}`)
    .argParser(wholeNumber)
    .default(byDefault);
}

/** The limits from the options. */
function limitsOf(flags: DashboardFlags): Partial<Limits> {
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

/** A repeatable option. */
export const several = (value: string, before: string[] = []): string[] => [...before, value];

interface DashboardServiceOptions extends DashboardFlags, PrivateWebhookFlags {
  /** The first is the default. */
  guards: readonly GuardFlags[];
}

/** The API and the page. */
export class DashboardService implements Service {
  readonly name = 'dashboard';
  readonly #stack: Stack;
  readonly #log: Logger;
  readonly #options: DashboardServiceOptions;
  #app: App | undefined;
  #url = '';

  constructor(stack: Stack, log: Logger, options: DashboardServiceOptions) {
    this.#stack = stack;
    this.#log = log;
    this.#options = options;
  }

  /** The URL once it listens. */
  get url(): string {
    return this.#url;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { guards: flags, host, port, trustProxy, corpusRoot } = this.#options;
    const { createDashboard, isLoopback } = await import('@tocsin/dashboard');
    if (!isLoopback(host) && !(await anyKey(this.#stack.pool))) throw noKeyYet(host);
    const guards = [];
    for (const one of flags) {
      const guard = await withModelProgress((shown) => openGuard(one.guard, { ...one, ...shown, signal }));
      guards.push({ guard, cacheDir: one.cacheDir, threads: one.threads, source: guardSource(one) });
    }
    this.#app = await createDashboard({
      ...this.#stack,
      log: this.#log,
      version: VERSION,
      guards,
      schedules: {
        corpusRoots: corpusRoot ?? [],
        allowPrivateWebhooks: allowPrivate(this.#options),
      },
      trustProxy,
      limits: limitsOf(this.#options),
    });
    try {
      this.#url = await this.#app.listen({ host, port });
    } catch (cause) {
      throw new UserError(`cannot serve the dashboard at ${authority(host, port)}: ${messageOf(cause)}`, {
        hint: codeOf(cause) === 'EADDRINUSE' ? 'Choose another --port.' : 'Choose another --host or --port.',
        cause,
      });
    }
    this.#log.info({ url: this.#url }, 'the dashboard is ready');
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }
}

const authority = (host: string, port: number): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;

function noKeyYet(host: string): UserError {
  return new UserError(`there is no key yet, and ${host} can be reached from other machines`, {
    hint: 'Create one first (tocsin keys create NAME), or omit --host.',
  });
}
