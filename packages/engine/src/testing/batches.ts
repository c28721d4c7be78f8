import type { EngineProcess } from '../process/engine-process.js';
import type { BatchRequest } from '../process/engine-protocol.js';

/** Rows of token ids, all of one length, as one batch. Any golden backbone has these tokens. */
export function batchOf(rows: number, length: number): BatchRequest {
  return {
    type: 'batch',
    tokenIds: Int32Array.from({ length: rows * length }, (_, i) => 3 + (i % 300)),
    lengths: new Int32Array(rows).fill(length),
  };
}

/** A batch that keeps an engine busy long enough for something to happen meanwhile, and how long that is (ms). */
export async function slowBatch(
  engine: Pick<EngineProcess, 'run'>,
): Promise<{ batch: BatchRequest; runMs: number }> {
  const batch = batchOf(10, 512);
  await engine.run(batchOf(1, 8));
  const { runMs } = await engine.run(batch);
  return { batch, runMs };
}
