/**
 * The engine process: owns the model session, takes batches, returns scores, and ends with its parent. It is a process
 * of its own since `session.run` blocks the thread (docs/architecture.md, invariant 4).
 */
import { messageOf } from '@tocsin/core';
import { BatchSession } from '../batches/batch-session.js';
import { WorkQueue } from '../batches/work-queue.js';
import { PrefixSession } from '../prefixes/prefix-session.js';
import type { EngineMessage, EngineOptions, EngineReply, EngineRequest } from './engine-protocol.js';

const send = (reply: EngineReply): void => {
  // If the parent is gone, 'disconnect' below ends the process.
  process.send?.(reply, undefined, undefined, () => {});
};

process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole process group, but the parent decides when to stop.
process.on('SIGINT', () => {});

const options = JSON.parse(process.argv[2] ?? '') as EngineOptions;
try {
  const started = performance.now();
  const session = await load(options);
  const queue = new WorkQueue();
  process.on('message', (message: EngineMessage) => {
    if ('forget' in message) queue.add(undefined, async () => session.forget(message.forget));
    else if ('request' in message) queue.add(message.id, () => answer(session, message.id, message.request));
    else if (queue.recall(message.recall)) send({ type: 'recalled', id: message.recall });
  });
  send({ type: 'ready', loadMs: performance.now() - started });
} catch (error) {
  send({ type: 'load-failed', message: messageOf(error) });
}

interface Session {
  run(request: EngineRequest): Promise<Float32Array[]>;
  forget(stream: number): void;
}

async function load(options: EngineOptions): Promise<Session> {
  const unexpected = (request: EngineRequest): never => {
    throw new Error(`an engine process for ${options.scores} got a request for ${request.type}`);
  };
  if (options.scores === 'batches') {
    const session = await BatchSession.load(options);
    return {
      run: async (request) => (request.type === 'batch' ? await session.run(request) : unexpected(request)),
      forget: () => {},
    };
  }
  const session = await PrefixSession.load(options);
  return {
    run: async (request) => (request.type === 'prefixes' ? session.run(request) : unexpected(request)),
    forget: (stream) => session.forget(stream),
  };
}

async function answer(session: Session, id: number, request: EngineRequest): Promise<void> {
  try {
    const started = performance.now();
    const scores = await session.run(request);
    send({ type: 'scores', id, scores, runMs: performance.now() - started });
  } catch (error) {
    send({ type: 'run-failed', id, message: messageOf(error) });
  }
}
