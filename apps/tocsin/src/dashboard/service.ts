import { isIP } from 'node:net';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { App } from '@tocsin/dashboard';
import { openGuard } from '@tocsin/engine';
import { anyKey } from '@tocsin/store';
import type { Logger } from 'pino';
import { type GuardFlags, guardSource } from '../options/guard-options.js';
import { allowPrivate, type PrivateWebhookFlags } from '../schedule/serve.js';
import type { Service } from '../services/services.js';
import type { Stack } from '../services/stack.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { VERSION } from '../version.js';
import { type DashboardFlags, limitsOf } from './options.js';

export interface DashboardServiceOptions extends DashboardFlags, PrivateWebhookFlags {
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
    this.#log.info({ url: this.#url }, 'the dashboard is there');
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }
}

const authority = (host: string, port: number): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;

function noKeyYet(host: string): UserError {
  return new UserError(`there is no key yet, and ${host} can be reached by others than this machine`, {
    hint: 'Make one first (tocsin keys create NAME), or leave --host out.',
  });
}
