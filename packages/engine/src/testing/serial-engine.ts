import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BatchResult, RunBatch } from '../batches/run-batch.js';
import { RecalledError } from '../process/engine-process.js';

/** What a serial engine did, in order. */
export interface SerialPass {
  /** The first token of each row, which is its number. */
  rows: number[];
  /** Passes that waited behind this one when it began. */
  behind: number;
}

export interface SerialEngine {
  run: RunBatch;
  passes: SerialPass[];
  /** Told of each pass as it begins, when it can no longer be asked back. */
  onPass: (rows: number[]) => void;
  /** The most passes that were in flight at once. */
  most: number;
}

interface Request {
  rows: number[];
  recall: AbortSignal | undefined;
  resolve(result: BatchResult): void;
  reject(error: Error): void;
}

/**
 * An engine as the engine process is: one pass at a time, in order, and what waits can be asked back. The message that
 * does so, and each answer, take a turn of the event loop. A pass takes `turns` turns.
 * @param fails says which passes kill the process: all that is in flight then fails with them
 */
export function serialEngine(turns: number, fails: (rows: number[]) => boolean = () => false): SerialEngine {
  let waiting: Request[] = [];
  let inFlight = 0;
  let busy = false;
  const engine: SerialEngine = {
    passes: [],
    onPass: () => {},
    most: 0,
    run: (tokenIds, lengths, recall) => {
      engine.most = Math.max(engine.most, ++inFlight);
      const answer = new Promise<BatchResult>((resolve, reject) => {
        waiting.push({ rows: numbersOf(tokenIds, lengths), recall, resolve, reject });
      });
      if (!busy) void workOff();
      return answer.finally(() => inFlight--);
    },
  };

  async function workOff(): Promise<void> {
    busy = true;
    for (;;) {
      await nextTurn();
      for (const back of waiting.filter(({ recall }) => recall?.aborted === true))
        back.reject(new RecalledError());
      waiting = waiting.filter(({ recall }) => recall?.aborted !== true);
      const request = waiting.shift();
      if (request === undefined) break;
      const { rows } = request;
      engine.passes.push({ rows, behind: waiting.length });
      engine.onPass(rows);
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      if (!fails(rows)) request.resolve({ scores: Float32Array.from(rows, scoreOf), runMs: 1 });
      else for (const dead of [request, ...waiting.splice(0)]) dead.reject(new Error('died'));
    }
    busy = false;
  }
  return engine;
}

/** The score that a test engine gives to a row. */
export const scoreOf = (number: number): number => Math.fround(number / 1000);

function numbersOf(tokenIds: Int32Array, lengths: Int32Array): number[] {
  const rows: number[] = [];
  let at = 0;
  for (const length of lengths) {
    rows.push(tokenIds[at] ?? -1);
    at += length;
  }
  return rows;
}
