/**
 * Loaded into a real worker (`NODE_OPTIONS=--import`): kills the worker process when it is about to send a batch with
 * the poison text to its engine process, as when a batch exceeds a container's memory.
 */
import childProcess, { type ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import type { EngineMessage } from '@tocsin/engine';
import { WITNESS } from './engine-witness.js';

const poison = Number(process.env[WITNESS.poison]);
const fork = childProcess.fork as (...args: unknown[]) => ChildProcess;
childProcess.fork = (...args: unknown[]): ChildProcess => {
  const child = fork(...args);
  const send = child.send.bind(child) as (...all: unknown[]) => boolean;
  child.send = (message: EngineMessage, ...rest: unknown[]): boolean => {
    if ('request' in message && message.request.type === 'batch' && message.request.tokenIds.includes(poison))
      process.kill(process.pid, 'SIGKILL');
    return send(message, ...rest);
  };
  return child;
};
syncBuiltinESMExports();
