import { inject } from 'vitest';
import { RedisProcess } from './redis-process.js';
import { scratchDir } from './scratch.js';

/** What the global set-up found: a program, or why there is none. */
export type FoundRedis = { program: string } | { missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    redis: FoundRedis;
  }
}

export type RedisServer = RedisProcess;

/** A Redis server for a test. */
export const RedisServer = {
  start(): Promise<RedisProcess> {
    const found = inject('redis');
    if ('missing' in found) throw new Error(found.missing);
    return RedisProcess.start(found.program, scratchDir());
  },
};
