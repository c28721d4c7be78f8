import { Agent, type ClientRequest, request } from 'node:http';
import type { FuzzRequest } from './requests.js';

export interface FuzzAnswer {
  status: number;
  /** Headers and body, as they came. */
  text: string;
  type: string;
  body: string;
}

/** Instead of a status: who asked did not wait for it. */
const LEFT = 299;

/** Events have no end: so much of them is enough. */
const EVENTS_MS = 150;
/** What takes longer hangs. */
const LONGEST_MS = 20_000;

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Sends a request just as it is: no address is put in order, no header is made up for. */
export function send(origin: string, key: string | undefined, sent: FuzzRequest): Promise<FuzzAnswer> {
  const { hostname, port } = new URL(origin);
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(sent.body !== undefined && { 'content-length': String(sent.body.length) }),
    ...sent.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, hostname, port, method: sent.method, path: sent.path, headers });
    const late = setTimeout(() => outgoing.destroy(new Error(`no answer in ${LONGEST_MS} ms`)), LONGEST_MS);
    let answered = false;
    outgoing.on('error', (error) => {
      clearTimeout(late);
      // A server that refuses a body before its end closes the connection.
      if (answered) return;
      if (error instanceof ClientLeft) resolve({ status: LEFT, text: '', type: '', body: '' });
      else reject(error);
    });
    outgoing.once('response', (incoming) => {
      answered = true;
      const chunks: Buffer[] = [];
      const type = incoming.headers['content-type'] ?? '';
      if (type.startsWith('text/event-stream')) setTimeout(() => incoming.destroy(), EVENTS_MS);
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', () => {});
      incoming.once('close', () => {
        clearTimeout(late);
        const body = Buffer.concat(chunks).toString('utf8');
        const text = `${incoming.rawHeaders.join('\n')}\n\n${body}`;
        resolve({ status: incoming.statusCode ?? 0, text, type, body });
      });
    });
    void write(outgoing, sent);
  });
}

/** Pieces of a body that comes in drops, and what is between them. */
const DROPS = 5;
const DROP_EVERY_MS = 20;

/** Sends the body as the request says. */
async function write(outgoing: ClientRequest, { body, pace }: FuzzRequest): Promise<void> {
  if (body === undefined || body.length < DROPS || pace === 'at once') {
    outgoing.end(body);
    return;
  }
  const size = Math.ceil(body.length / DROPS);
  for (let at = 0; at < body.length; at += size) {
    if (outgoing.destroyed) return;
    if (pace === 'half' && at * 2 > body.length) {
      outgoing.destroy(new ClientLeft());
      return;
    }
    outgoing.write(body.subarray(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, DROP_EVERY_MS));
  }
  outgoing.end();
}

/** It was the client that ended the connection. */
class ClientLeft extends Error {}

export const closeConnections = (): void => agent.destroy();
