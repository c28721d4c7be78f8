import type { Redis } from 'ioredis';
import { section, table } from '../report.js';
import { type CorpusKind, fleetCorpus } from './corpora.js';
import { openFleetStage } from './stage.js';
import { submitCommand } from './submit-command.js';

const ROWS: Record<CorpusKind, number> = { short: 100_000, mixed: 20_000, longest: 4_000 };

/** What Redis holds for rows that wait: all of a corpus are queued, and no worker takes one. */
export async function benchQueueMemory(dir: string, guard: string): Promise<void> {
  section('Queue memory: Redis, all parcels of a corpus queued (target <= 100 bytes a row)');
  const measured: string[][] = [];
  for (const kind of Object.keys(ROWS) as CorpusKind[]) {
    const corpus = await fleetCorpus(dir, kind, ROWS[kind]);
    const stage = await openFleetStage(dir);
    const redis = stage.redis.client();
    try {
      const before = await usedMemory(redis);
      await submitCommand(stage, [corpus.file, '--guard', guard, '--retain', 'none']).run;
      const used = (await usedMemory(redis)) - before;
      const { rows } = await stage.pool.query<{ parcels: number }>('select count(*) as parcels from parcels');
      const parcels = rows[0]?.parcels ?? 0;
      measured.push([
        corpus.title,
        String(corpus.rows),
        String(parcels),
        (used / parcels).toFixed(0),
        (used / corpus.rows).toFixed(1),
      ]);
    } finally {
      redis.disconnect();
      await stage.close();
    }
  }
  table(['', 'rows', 'parcels', 'bytes a parcel', 'bytes a row'], measured);
}

async function usedMemory(redis: Redis): Promise<number> {
  const [, used] = /^used_memory:(\d+)/m.exec(await redis.info('memory')) ?? [];
  if (used === undefined) throw new Error('INFO does not say used_memory');
  return Number(used);
}
