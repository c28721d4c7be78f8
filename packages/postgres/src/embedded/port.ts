import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { codeOf, UserError } from '@tocsin/core';
import { type DataDir, readOwn, writeOwn } from './data-dir.js';
import { HOST } from './settings.js';

/**
 * Below the ports that systems hand out for outgoing connections (Linux from 32768, macOS from 49152): one of those
 * could take the server's port while it is down, and a client that keeps trying could even connect to itself.
 */
const FROM = 20_000;
const TO = 32_000;

/** The port of the last start when it is still free, else a free one. */
export async function choosePort(dir: DataDir): Promise<number> {
  const last = await lastPort(dir);
  if (last !== undefined && (await isFree(last))) return last;
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(FROM, TO);
    if (await isFree(port)) return port;
  }
  throw new UserError(`found no free port between ${FROM} and ${TO} on ${HOST} for PostgreSQL.`, {
    hint: 'Name one with --port, or set DATABASE_URL.',
  });
}

async function lastPort(dir: DataDir): Promise<number | undefined> {
  const port = Number(await readOwn(dir, 'port'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export async function rememberPort(dir: DataDir, port: number): Promise<void> {
  if ((await lastPort(dir)) !== port) await writeOwn(dir, 'port', `${port}\n`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: HOST, exclusive: true }, resolve);
    });
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
