import { Agent, type ClientRequest, request } from 'node:http';
import type { FuzzRequest } from './requests.js';

export interface FuzzAnswer {
  status: number;
  /** Raw headers and body. */
  text: string;
  type: string;
  body: string;
}

/** Replaces the status when the client disconnected early. */
const LEFT = 299;

/** Event streams do not end: stop after this many bytes. */
const EVENTS_MS = 150;
/** A slower response counts as hanging. */
const LONGEST_MS = 20_000;

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Sends a request unchanged: no URL normalization, no added headers. */
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
      // A server that rejects a body early closes the connection.
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

/** Number of pieces of a body sent in drops, and the pause between them. */
const DROPS = 5;
const DROP_EVERY_MS = 20;

/** Sends the body in the request's way. */
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

/** The client closed the connection. */
class ClientLeft extends Error {}

export const closeConnections = (): void => agent.destroy();
