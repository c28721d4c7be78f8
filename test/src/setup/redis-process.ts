import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const PASSWORD = 'test-only';

/** A real Redis server without persistence. */
export class RedisProcess {
  readonly url: string;
  readonly #start: () => ChildProcess;
  #child: ChildProcess;

  private constructor(port: number, start: () => ChildProcess) {
    this.url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
    this.#start = start;
    this.#child = start();
  }

  /**
   * @param program a Redis or Valkey server
   * @param dir     its working directory, which must exist
   * @param more    additional settings; undefined removes a default one
   */
  static async start(
    program: string,
    dir: string,
    more: Readonly<Record<string, string | undefined>> = {},
  ): Promise<RedisProcess> {
    const port = await freePort();
    const server = new RedisProcess(port, () => spawnServer(program, port, dir, more));
    await server.#answers();
    return server;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the Redis server did not start');
    return pid;
  }

  /** A client; the caller disconnects it. */
  client(): Redis {
    return new Redis(this.url, { maxRetriesPerRequest: null });
  }

  /** SIGKILL, like a crash or the OOM killer. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** Starts an empty server at the same address. */
  async startAgain(): Promise<void> {
    this.#child = this.#start();
    await this.#answers();
  }

  async #answers(): Promise<void> {
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => {});
    try {
      for (;;) {
        if (this.#child.exitCode !== null)
          throw new Error(`the Redis server ended: exit code ${this.#child.exitCode}`);
        const answer = await redis.connect().then(
          () => redis.ping(),
          () => undefined,
        );
        if (answer === 'PONG') return;
        await sleep(20);
      }
    } finally {
      redis.disconnect();
    }
  }
}

function spawnServer(
  program: string,
  port: number,
  dir: string,
  more: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  const usual = { port, bind: '127.0.0.1', dir, requirepass: PASSWORD, save: '', appendonly: 'no' };
  const settings = { ...usual, ...more };
  const args = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Maximum port: the cluster bus uses the port plus 10,000. */
const HIGHEST_PORT = 55_535;

/** A currently free port that the system does not assign soon. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    if (port <= HIGHEST_PORT) return port;
  }
}
