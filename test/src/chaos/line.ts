import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy to a local server that can be cut: every connection through it is reset at once. */
export class Line {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #closed = false;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  static async to(port: number): Promise<Line> {
    const sockets = new Set<Socket>();
    let line: Line | undefined;
    const server = createServer((client) => {
      if (line?.isOpen === false) client.resetAndDestroy();
      else join(client, connect({ port, host: '127.0.0.1', noDelay: true }), sockets);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    line = new Line(server, sockets);
    return line;
  }

  /** Whether it accepts new connections. */
  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Resets all connections, and accepts no others until `mend`. @returns the number of connections */
  cut(): number {
    this.#closed = true;
    const cut = this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return cut;
  }

  mend(): void {
    this.#closed = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Forwards both directions; when one side closes, the other is closed too. */
function join(client: Socket, server: Socket, sockets: Set<Socket>): void {
  client.setNoDelay(true);
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    sockets.add(from);
    from.pipe(to);
    from.on('error', () => {});
    from.once('close', () => {
      sockets.delete(from);
      to.resetAndDestroy();
    });
  }
}
