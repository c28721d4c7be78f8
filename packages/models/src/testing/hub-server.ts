import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { commitOf, entryOf, type HubRepo, hashOf, isLarge } from './hub-repo.js';

/** A request to the test hub. */
export interface HubRequest {
  /** The hub itself, or the store that it redirects to for large files. */
  server: 'hub' | 'store';
  method: string;
  /** Without the query. */
  path: string;
  headers: IncomingMessage['headers'];
}

/**
 * A hub on loopback: the part of the HTTP protocol that clients use to read models (info, tree, paths-info, resolve with
 * a redirect to a store on another port, Range, ETag and X-headers, error codes, tokens), with injected faults. Follows
 * the clients huggingface_hub 2.4 and @huggingface/hub 2.17.
 */
export class HubServer {
  readonly repos: Map<string, HubRepo>;
  /** Valid tokens, and whether they may read gated repositories. */
  readonly tokens = new Map<string, { gated: boolean }>();
  readonly requests: HubRequest[] = [];
  /** For `HF_ENDPOINT`. */
  endpoint = '';
  readonly #hub: Server;
  readonly #store: Server;
  readonly #faults: { path: RegExp; fault: Fault; left: number }[] = [];
  /** What the store has, by hash. */
  readonly #blobs = new Map<string, Uint8Array>();

  private constructor(repos: Map<string, HubRepo>) {
    this.repos = repos;
    this.#hub = createServer((request, response) => this.#handle('hub', request, response));
    this.#store = createServer((request, response) => this.#handle('store', request, response));
  }

  static async start(repos: Record<string, HubRepo>): Promise<HubServer> {
    const server = new HubServer(new Map(Object.entries(repos)));
    for (const part of [server.#hub, server.#store]) await once(part.listen(0, '127.0.0.1'), 'listening');
    server.endpoint = urlOf(server.#hub);
    return server;
  }

  /** The commit of a repository's `main`. */
  commit(repo: string): string {
    const found = this.repos.get(repo);
    if (found === undefined) throw new Error(`the test's hub has no repository ${repo}`);
    return commitOf(found);
  }

  /** Makes the next `times` requests of matching paths fail. */
  fail(path: RegExp, fault: Fault, times = 1): void {
    this.#faults.push({ path, fault, left: times });
  }

  /** The number of requests of a path. */
  count(path: RegExp, method = 'GET'): number {
    return this.requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  #handle(server: 'hub' | 'store', request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    const path = decodeURIComponent(pathname);
    const { method = 'GET', headers } = request;
    this.requests.push({ server, method, path, headers });
    const fault = this.#takeFault(path);
    if (fault?.status !== undefined) {
      response.writeHead(fault.status, fault.headers ?? {}).end(fault.body ?? '');
      return;
    }
    if (fault?.drop === true) {
      request.socket.destroy();
      return;
    }
    const work =
      server === 'store'
        ? this.#serveStore(path, request, response, fault)
        : this.#serveHub(path, request, response, fault);
    work.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  }

  #takeFault(path: string): Fault | undefined {
    const found = this.#faults.find((entry) => entry.left > 0 && entry.path.test(path));
    if (found !== undefined) found.left -= 1;
    return found?.fault;
  }

  async #serveStore(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const hash = path.slice(1);
    const bytes = this.#blobs.get(hash);
    if (bytes === undefined) response.writeHead(404).end();
    else await sendBytes(request, response, bytes, { etag: `"${hash}"` }, fault);
  }

  async #serveHub(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const api = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(revision|tree|paths-info)\/(.+))?$/.exec(path);
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const [, name = ''] = api ?? file ?? [];
    const repo = this.repos.get(name);
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    const access = token === undefined ? undefined : this.tokens.get(token);
    if (token !== undefined && access === undefined) {
      return refuse(response, 401, undefined, 'Invalid credentials in Authorization header');
    }
    if (repo === undefined || (repo.private === true && access === undefined)) {
      return refuse(response, token === undefined ? 401 : 404, 'RepoNotFound', 'Repository not found');
    }
    const commit = commitOf(repo);
    const revision = api?.[3] ?? file?.[2] ?? 'main';
    if (![commit, 'main', ...(repo.revisions ?? [])].includes(revision)) {
      return refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    }
    response.setHeader('x-repo-commit', commit);
    if (file === null) return this.#serveApi(api?.[2], name, repo, request, response);
    if (repo.gated === true && access?.gated !== true) {
      const words = `Access to model ${name} is restricted.`;
      return refuse(response, token === undefined ? 401 : 403, 'GatedRepo', words);
    }
    const [, , , asked = ''] = file;
    const bytes = repo.files.get(asked);
    if (bytes === undefined) return refuse(response, 404, 'EntryNotFound', 'Entry not found');
    const hash = hashOf(asked, bytes);
    if (!isLarge(asked)) return sendBytes(request, response, bytes, { etag: `"${hash}"` }, fault);
    this.#blobs.set(hash, bytes);
    response.writeHead(302, {
      location: `${urlOf(this.#store)}/${hash}?signature=of-this-request`,
      'x-linked-etag': `"${hash}"`,
      'x-linked-size': bytes.length,
    });
    response.end();
  }

  async #serveApi(
    what: string | undefined,
    name: string,
    repo: HubRepo,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const entries = [...repo.files].map(([path, bytes]) => entryOf(path, bytes));
    if (what === 'tree') return json(response, entries);
    if (what === 'paths-info') {
      const { paths } = JSON.parse(await text(request)) as { paths: string[] };
      return json(
        response,
        entries.filter(({ path }) => paths.includes(String(path))),
      );
    }
    const siblings = [...repo.files.keys()].map((rfilename) => ({ rfilename }));
    const { gated = false, private: isPrivate = false } = repo;
    json(response, {
      _id: name,
      id: name,
      sha: commitOf(repo),
      private: isPrivate,
      gated: gated ? 'manual' : false,
      lastModified: '2026-01-01T00:00:00.000Z',
      siblings,
    });
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json; charset=utf-8').end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string | undefined, message: string): void {
  if (code !== undefined) response.setHeader('x-error-code', code);
  response.statusCode = status;
  response.setHeader('x-error-message', message);
  json(response, { error: message });
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A fault of one response. */
interface Fault {
  /** Respond with this status. */
  status?: number;
  headers?: OutgoingHttpHeaders;
  body?: string;
  /** Close the connection without a response. */
  drop?: boolean;
  /** Break the connection after this many bytes of the body. */
  cutAfter?: number;
  /** Corrupt one byte. */
  corrupt?: boolean;
  /** Send the whole file although a range was requested. */
  ignoreRange?: boolean;
  /** Pause after this many bytes until the promise resolves. */
  stall?: { after: number; until: Promise<void> };
}

const CHUNK_BYTES = 16 * 1024;

/** Responds with a file's bytes, or with the requested range. */
async function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array,
  headers: OutgoingHttpHeaders,
  fault: Fault = {},
): Promise<void> {
  const range =
    fault.ignoreRange === true ? undefined : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = range ? Number(range[1]) : 0;
  const to = range?.[2] ? Math.min(Number(range[2]) + 1, file.length) : file.length;
  const body = Buffer.from(file.subarray(from, to));
  if (range) {
    if (from >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    response.setHeader('content-range', `bytes ${from}-${to - 1}/${file.length}`);
  }
  response.writeHead(range ? 206 : 200, {
    'accept-ranges': 'bytes',
    'content-length': body.length,
    ...headers,
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (fault.corrupt === true) body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
  await sendSlowly(response, body, fault);
}

async function sendSlowly(response: ServerResponse, body: Buffer, fault: Fault): Promise<void> {
  const end = fault.cutAfter ?? body.length;
  const pause = fault.stall?.after ?? end;
  for (let at = 0; at < end; ) {
    const next = Math.min(at + CHUNK_BYTES, at < pause ? pause : end);
    await new Promise<void>((resolve) => response.write(body.subarray(at, next), () => resolve()));
    at = next;
    if (at === pause) await fault.stall?.until;
  }
  if (fault.cutAfter === undefined) {
    response.end();
    return;
  }
  // Flush before closing the connection.
  await sleep(20);
  response.socket?.destroy();
}
