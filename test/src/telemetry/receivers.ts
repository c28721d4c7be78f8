import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TocsinProcess } from '../setup/tocsin.js';

interface ReceivedSpan {
  service: string | undefined;
  name: string;
  trace: string;
  id: string;
  parent: string | undefined;
}

interface Body {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: { name: string; traceId: string; spanId: string; parentSpanId?: string }[] }[];
  }[];
}

/** An OTLP collector (HTTP, JSON) that records spans. */
export class SpanReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** In order of arrival. */
  readonly bodies: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      this.#take(await text(request));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }

  static async start(): Promise<SpanReceiver> {
    const receiver = new SpanReceiver();
    await once(receiver.#server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The names of a span's ancestors. */
  ancestors(span: ReceivedSpan): string[] {
    const parent = this.spans.find(({ id }) => id === span.parent);
    return parent === undefined ? [] : [parent.name, ...this.ancestors(parent)];
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(body: string): void {
    this.bodies.push(body);
    for (const { resource, scopeSpans } of (JSON.parse(body) as Body).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
      for (const { name, traceId, spanId, parentSpanId } of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({ service, name, trace: traceId, id: spanId, parent: parentSpanId || undefined });
    }
  }
}

/** The address of a process started with `--metrics-port 0`, from its log. */
export function listensAt(process: TocsinProcess): Promise<string> {
  return process.said(/"at":"(http:[^"]+)"/);
}

/** The samples of a process: `name{labels}` to value. */
export async function scrape(at: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${at}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** The response of `/readyz`. */
export async function readiness(at: string): Promise<{ status: number; reasons: Record<string, string> }> {
  const answer = await fetch(`${at}/readyz`);
  const { reasons = {} } = (await answer.json()) as { reasons?: Record<string, string> };
  return { status: answer.status, reasons };
}
