import { Agent, request } from 'node:http';
import { randomRows } from '../setup/random-words.js';

export const REQUESTS = 200;
export const TEXTS = 256;
const WORDS = 12;
/** A request without a response after this time counts as unanswered. */
const PATIENCE_MS = 240_000;

export interface Answer {
  /** HTTP status; undefined without a response. */
  status: number | undefined;
  /** From the request to the end of its response. */
  ms: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });

export const closeConnections = (): void => agent.destroy();

/** GET, or POST of a body. */
export function send(url: string, key: string | undefined, body?: object | Buffer): Promise<Answer> {
  const sent = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(sent !== undefined && { 'content-type': 'application/json', 'content-length': sent.length }),
  };
  const started = performance.now();
  return new Promise((resolve) => {
    const ended = (status: number | undefined): void => resolve({ status, ms: performance.now() - started });
    const method = sent === undefined ? 'GET' : 'POST';
    const asked = request(url, { agent, method, headers, timeout: PATIENCE_MS });
    asked
      .once('error', () => ended(undefined))
      .once('timeout', () => asked.destroy())
      .once('response', (answer) => {
        answer.resume().once('end', () => ended(answer.statusCode));
      })
      .end(sent);
  });
}

/** All requests of one flood, sent at once. Floods with different seeds have no text in common. */
export function sendFlood(origin: string, key: string, seed: number): Promise<Answer[]> {
  const texts = randomRows(REQUESTS * TEXTS, WORDS, seed).map(({ text }) => ({ text: `${seed} ${text}` }));
  const bodies = Array.from({ length: REQUESTS }, (_, i) =>
    Buffer.from(JSON.stringify({ items: texts.slice(i * TEXTS, (i + 1) * TEXTS) })),
  );
  return Promise.all(bodies.map((body) => send(`${origin}/api/score`, key, body)));
}
