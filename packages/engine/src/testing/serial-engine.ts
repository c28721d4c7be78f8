import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BatchResult, RunBatch } from '../process/engine.js';
import { type EngineProcess, RecalledError } from '../process/engine-process.js';
import type { BatchRequest } from '../process/engine-protocol.js';

/** The passes of a serial engine, in order. */
interface SerialPass {
  /** The first token of each row, which is its number. */
  rows: number[];
  /** Passes that waited behind this one when it started. */
  behind: number;
}

export interface SerialEngine {
  run: RunBatch;
  passes: SerialPass[];
  /** Called as each pass starts, when it can no longer be recalled. */
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
 * An engine that behaves like the engine process: one pass at a time, in order, and waiting passes can be recalled. Recall
 * and replies take a turn of the event loop each, a pass takes `turns` turns.
 * @param fails selects passes that kill the process and fail everything in flight
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

/** A test engine's score of a row. */
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

/** Rows of token ids, all of one length, as one batch. Any golden backbone has these tokens. */
export function batchOf(rows: number, length: number): BatchRequest {
  return {
    type: 'batch',
    tokenIds: Int32Array.from({ length: rows * length }, (_, i) => 3 + (i % 300)),
    lengths: new Int32Array(rows).fill(length),
  };
}

/** A batch long enough to interrupt, and its duration (ms). */
export async function slowBatch(
  engine: Pick<EngineProcess, 'run'>,
): Promise<{ batch: BatchRequest; runMs: number }> {
  const batch = batchOf(10, 512);
  await engine.run(batchOf(1, 8));
  const { runMs } = await engine.run(batch);
  return { batch, runMs };
}
