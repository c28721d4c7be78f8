import { beforeAll, expect, test } from 'vitest';
import { processesNaming, untilGone } from '../setup/processes.js';
import { LongRun, undisturbed } from './long-run.js';

beforeAll(undisturbed);

test.each(['worker', 'engine', 'postgres'] as const)(
  'the %s process killed in mid-run: every row has its one score, and no process is left',
  async (victim) => {
    const run = await LongRun.prepare();
    const { command, worker, engine } = await run.startAndWait();
    const postgres = await run.postmaster();
    process.kill({ worker, engine, postgres }[victim], 'SIGKILL');
    await run.release();

    await run.expectWhole(await command.ended);
    if (victim === 'worker') expect(command.stderr).toMatch(/worker process died \(signal SIGKILL\)/);
    if (victim === 'postgres') expect(command.stderr).toMatch(/embedded PostgreSQL has ended/);
    await untilGone([worker, engine, postgres]);
    expect(processesNaming(run.dataDir)).toEqual([]);
  },
);
