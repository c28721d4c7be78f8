import { foundProgram, scratchDir } from './provided.js';
import { RedisProcess } from './redis-process.js';

export type RedisServer = RedisProcess;

/** A Redis server for a test. */
export const RedisServer = {
  /** @param settings as in RedisProcess */
  start(settings: Readonly<Record<string, string | undefined>> = {}): Promise<RedisProcess> {
    return RedisProcess.start(foundProgram('redis'), scratchDir(), settings);
  },
};
