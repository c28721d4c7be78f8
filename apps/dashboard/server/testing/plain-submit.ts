import { reasonOf } from '@tocsin/core';
import { type CorpusRow, readCorpus } from '@tocsin/corpus';
import { Preparation } from '@tocsin/engine';
import { registerOpenGuard, settleRuns, submitCorpus } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import { ParcelQueue, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun, failRun, leaveRun } from '@tocsin/store';
import type { Submit } from '../submit.js';

/** What `tocsin submit` does, without looking after a run whose process is killed. */
export function plainSubmit(pool: Pool, backend: QueueBackend): Submit {
  return async (submission) => {
    const {
      guard,
      name,
      sources,
      stdin,
      reading,
      keep = [],
      threshold,
      retain,
      ownerKey,
      onRow,
      shownError,
      signal,
    } = submission;
    const { id: guardId, queue: queueId } = await registerOpenGuard(pool, guard);
    const runId = await createRun(pool, guardId, name, {
      threshold: threshold ?? guard.artifact.defaultThreshold,
      ...(retain === undefined ? {} : { retain }),
      ownerKey,
    });
    await submission.onRun(runId);
    const queue = new ParcelQueue(backend, queueNameOf(queueId));
    try {
      const preparation = await Preparation.open(guard);
      const read = readCorpus(sources, { ...reading, ...(stdin && { stdin }), keep, signal });
      const rows = onRow === undefined ? read : eachRow(read, onRow);
      await submitCorpus(rows, {
        pool,
        queue,
        preparation,
        runId,
        guardId,
        texts: retain !== 'none',
        signal,
      });
      await leaveRun(pool, runId);
      await settleRuns(pool, queue, guardId);
    } catch (error) {
      const shown = shownError?.(error) ?? error;
      if (signal.aborted) await cancelRun(pool, runId);
      else await failRun(pool, runId, reasonOf(shown));
      throw shown;
    } finally {
      await queue.close();
    }
  };
}

async function* eachRow(
  chunks: AsyncIterable<CorpusRow[]>,
  onRow: (row: CorpusRow) => CorpusRow,
): AsyncGenerator<CorpusRow[]> {
  for await (const rows of chunks) yield rows.map(onRow);
}
