import { foundProgram } from './found-program.js';
import { RedisProcess } from './redis-process.js';
import { scratchDir } from './scratch.js';

export type RedisServer = RedisProcess;

/** A Redis server for a test. */
export const RedisServer = {
  /** @param settings beside the usual ones */
  start(settings: Readonly<Record<string, string>> = {}): Promise<RedisProcess> {
    return RedisProcess.start(foundProgram('redis'), scratchDir(), settings);
  },
};
