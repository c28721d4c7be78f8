/**
 * Submits a corpus without scoring, and prints one line of JSON. Arguments: the corpus, a data directory, and `texts`
 * to store texts too.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readCorpus } from '@tocsin/corpus';
import { openGuard, Preparation } from '@tocsin/engine';
import { submitCorpus } from '@tocsin/pipeline';
import { createPool, startEmbedded } from '@tocsin/postgres';
import { ParcelQueue, prepareBackend, queueNameOf } from '@tocsin/queue';
import { createRun, migrateSchema, registerGuard } from '@tocsin/store';

const [corpus = '', dataDir = '', texts] = process.argv.slice(2);
const ARTIFACT = fileURLToPath(new URL('../../fixtures/golden/qwen3-residual/artifact', import.meta.url));

const guard = await openGuard(ARTIFACT);
const preparation = await Preparation.open(guard);
const server = await startEmbedded({ dataDir });
const pool = createPool(server.url, { applicationName: 'tocsin bench' });
const backend = { kind: 'postgres', url: server.url } as const;
await migrateSchema(pool);
await prepareBackend(backend);
const { id: guardId, queue: uuid } = await registerGuard(pool, guard.fingerprint, 'bench');
const runId = await createRun(pool, guardId, corpus);
const queue = new ParcelQueue(backend, queueNameOf(uuid));

const started = performance.now();
const rows = await submitCorpus(readCorpus([corpus], { format: 'jsonl' }), {
  pool,
  queue,
  preparation,
  runId,
  guardId,
  texts: texts === 'texts',
});
const ms = performance.now() - started;
const status = await readFile('/proc/self/status', 'utf8');
console.log(JSON.stringify({ rows, ms, peakBytes: 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) }));

await queue.close();
await pool.end();
await server.stop();
