import { Agent, request } from 'node:http';
import type { FuzzRequest } from './requests.js';

export interface FuzzAnswer {
  status: number;
  /** Headers and body, as they came. */
  text: string;
  type: string;
  body: string;
}

/** Events have no end: so much of them is enough. */
const EVENTS_MS = 150;
/** What takes longer hangs. */
const LONGEST_MS = 20_000;

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Sends a request just as it is: no address is put in order, no header is made up for. */
export function send(origin: string, key: string | undefined, sent: FuzzRequest): Promise<FuzzAnswer> {
  const { hostname, port } = new URL(origin);
  const headers = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(sent.body === undefined ? {} : { 'content-length': String(sent.body.length) }),
    ...sent.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, hostname, port, method: sent.method, path: sent.path, headers });
    const late = setTimeout(() => outgoing.destroy(new Error(`no answer in ${LONGEST_MS} ms`)), LONGEST_MS);
    outgoing.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    outgoing.once('response', (incoming) => {
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
    outgoing.end(sent.body);
  });
}

export const closeConnections = (): void => agent.destroy();
