/**
 * The engine process: owns the model session, takes batches, gives back scores. It lives and dies for its parent.
 * `session.run` blocks the thread; that is why it has a process of its own (design: invariant 4).
 */
import { messageOf } from '@tocsin/errors';
import { BatchSession } from './batch-session.js';
import type { BatchRequest, EngineOptions, EngineReply } from './engine-protocol.js';

const send = (reply: EngineReply): void => {
  // A parent that has gone does not want the reply; 'disconnect' below ends the process.
  process.send?.(reply, undefined, undefined, () => {});
};

process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole process group: whether the work ends is the parent's decision.
process.on('SIGINT', () => {});

const options = JSON.parse(process.argv[2] ?? '') as EngineOptions;
try {
  const started = performance.now();
  const session = await BatchSession.load(options);
  process.on('message', (request: BatchRequest) => void runBatch(session, request));
  send({ type: 'ready', loadMs: performance.now() - started });
} catch (error) {
  send({ type: 'load-failed', message: messageOf(error) });
}

async function runBatch(session: BatchSession, { id, tokenIds, lengths }: BatchRequest): Promise<void> {
  try {
    const started = performance.now();
    const scores = await session.run(tokenIds, lengths);
    send({ type: 'scores', id, scores, runMs: performance.now() - started });
  } catch (error) {
    send({ type: 'run-failed', id, message: messageOf(error) });
  }
}
