import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A fault of one response. */
export interface Fault {
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
export async function sendBytes(
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
