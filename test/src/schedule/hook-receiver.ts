import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A secret that verifies. */
export const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

export interface ReceivedHook {
  id: string;
  headers: Record<string, string>;
  body: string;
}

/** A real server that takes webhooks on a loopback address. */
export class HookReceiver {
  readonly url: string;
  /** Verified ones, and how each was answered is in `answers`. */
  readonly received: ReceivedHook[] = [];
  /** Statuses of the next answers; 204 after the last. `hang` never answers. */
  answers: (number | 'hang')[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/hidden-path`;
  }

  static async start(): Promise<HookReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new HookReceiver(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const headers = request.headers as Record<string, string>;
        receiver.received.push({
          id: headers['webhook-id'] ?? '',
          headers,
          body: Buffer.concat(parts).toString(),
        });
        const answer = receiver.answers.shift() ?? 204;
        if (answer !== 'hang') response.writeHead(answer).end();
      });
    });
    return receiver;
  }

  /** What the n-th message said, once its signature is verified. */
  verified(n: number): { type: string; timestamp: string; data: Record<string, unknown> } {
    const hook = this.received[n];
    if (hook === undefined) throw new Error(`only ${this.received.length} messages have arrived`);
    return new Webhook(SECRET).verify(hook.body, hook.headers) as ReturnType<HookReceiver['verified']>;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
