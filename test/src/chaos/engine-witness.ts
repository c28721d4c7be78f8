/**
 * Loaded into the processes of a real worker (`NODE_OPTIONS=--import`), active only in its engine process: records each
 * scored content, and kills the process when a batch contains the poison text. It simulates a model that crashes on a
 * text; everything else is the real engine.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineMessage, EngineReply } from '@tocsin/engine';
import { contentHash } from '@tocsin/siren';

/** Settings of the witness, from the environment. */
export const WITNESS = { dir: 'CHAOS_WITNESS_DIR', poison: 'CHAOS_POISON_TOKEN' } as const;

const dir = process.env[WITNESS.dir];
if (dir !== undefined && process.argv[1]?.endsWith('engine-main.js') === true) {
  watch(join(dir, `passes-${process.pid}`), Number(process.env[WITNESS.poison]));
}

function watch(file: string, poison: number): void {
  const batches = new Map<number, string[]>();
  process.on('message', (message: EngineMessage) => {
    if (!('request' in message) || message.request.type !== 'batch') return;
    const { tokenIds, lengths } = message.request;
    if (tokenIds.includes(poison)) process.kill(process.pid, 'SIGKILL');
    let at = 0;
    const contents = Array.from(lengths, (length) => {
      at += length;
      return contentHash(tokenIds.subarray(at - length, at)).toString('hex');
    });
    batches.set(message.id, contents);
  });
  const send = process.send?.bind(process);
  process.send = (reply: EngineReply, ...rest: unknown[]): boolean => {
    if (reply.type === 'scores') appendFileSync(file, `${batches.get(reply.id)?.join(' ')}\n`);
    return (send as (...all: unknown[]) => boolean)(reply, ...rest);
  };
}
