import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { POISON, poisonedBackbone } from '../setup/poisoned-backbone.js';
import { until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { ROOT, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';
import { ExpressBed, GUARD, logged } from './express-bed.js';

test('a text that the model has no number for has its error, tried once for all, and costs no other', async () => {
  const bed = await ExpressBed.start('redis', await poisonedBackbone(GUARD, join(scratchDir(), 'backbone')));
  try {
    const { worker } = await bed.startWorker();
    const texts = ['tea', `bread ${POISON}`, 'garden', 'letter'];
    const outcomes = await bed.asker.score(texts);
    expect(outcomes.map(({ error }) => error === undefined)).toEqual([true, false, true, true]);
    expect(bed.answers.toSorted()).toEqual(['failed', 'scored', 'scored', 'scored']);
    expect(outcomes[1]).toEqual({ error: expect.stringContaining('NaN') as string, refused: false });
    const again = await Promise.all([1, 2, 3].map(() => bed.asker.score(texts.slice(1, 2))));
    expect(again.flat()).toEqual([1, 2, 3].map(() => outcomes[1]));
    expect(await bed.parcels()).toHaveLength(1);
    worker.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ exitCode: 0 });
    // These are not counted as failed passes: the other contents had two or three.
    expect(logged(worker, 'worker drained')[0]?.passes).toBeLessThanOrEqual(3);
  } finally {
    await bed.close();
  }
});

/** Requests one text with a timeout of a minute. */
const ASKER = `
  import { openGuard } from '@tocsin/engine';
  import { ExpressScorer } from '@tocsin/pipeline';
  import { createPool } from '@tocsin/postgres';
  const { url, backend, registered, ref, options, text } = JSON.parse(process.argv[1]);
  const pool = createPool(url, { applicationName: 'tocsin test asker' });
  const guard = await openGuard(ref, options);
  const asker = await ExpressScorer.open({ pool, backend, guard, registered });
  await asker.score([text], { timeoutMs: 60_000 });`;

test('what a killed asker leaves behind keeps nobody waiting: a run that needs it takes it up', async () => {
  const bed = await ExpressBed.start('redis');
  try {
    const text = 'somebody asked for this and was killed';
    const [, ref = '', , backbone = ''] = bed.guardArguments;
    const { backend, registered, database } = bed;
    const options = { backbone, cacheDir: join(bed.guard.compiled.dir, '..', '..') };
    const given = JSON.stringify({ url: database.url, backend, registered, ref, options, text });
    const asker = spawn(process.execPath, ['--input-type=module', '-e', ASKER, given], {
      cwd: join(ROOT, 'test'),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await until(async () => ((await bed.parcels()).length > 0 ? true : undefined));
    asker.kill('SIGKILL');
    expect(await bed.parcels()).toEqual([{ contents: 1, state: 'waiting' }]);
    // As after a minute.
    await database.pool.query(`update parcels set created_at = created_at - interval '1 minute'`);

    const dir = scratchDir();
    const corpus = await writeJsonl(join(dir, 'corpus.jsonl'), [
      { id: 'a', text },
      { id: 'b', text: 'and this is new' },
    ]);
    const out = join(dir, 'scores.jsonl');
    const ended = await tocsin(['score', corpus, ...bed.guardArguments, '-o', out, '--json'], {
      env: bed.env,
    });
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(await readScores(out)).toEqual([
      expect.objectContaining({ key: 'a', score: expect.any(Number) as number }),
      expect.objectContaining({ key: 'b', score: expect.any(Number) as number }),
    ]);
    const { rows } = await database.pool.query('select contents, state from parcels order by id');
    expect(rows).toEqual([1, 1].map((contents) => ({ contents, state: 'done' })));
  } finally {
    await bed.close();
  }
});
