import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet, GUARD, ROWS } from '../fleet/fleet.js';
import { goldenGuard, tocsin } from '../setup/tocsin.js';
import { listensAt, scrape } from './receivers.js';

let fleet: Fleet;
beforeEach(async () => {
  fleet = await Fleet.open();
});
afterEach(() => fleet.close());

const MARKER = 'zuckerguss';

test('no log at any level and no metric holds a word of a text, nor a password', async () => {
  const rows = ROWS.slice(0, 50).map(({ id, text }) => ({ id, text: `${text} ${MARKER}` }));
  const corpus = await fleet.corpus([...rows, { id: 'bad', text: { [MARKER]: 1 } }]);
  const submitted = await tocsin(['submit', corpus, ...goldenGuard(GUARD)], { env: fleet.env });
  const worker = fleet.worker(['--log-level', 'trace', '--metrics-port', '0']);
  const at = await listensAt(worker);
  await fleet.untilState(Number(String(submitted.stdout)), 'done');
  const samples = [...(await scrape(at)).keys()].join('\n');
  worker.kill('SIGTERM');
  await worker.ended;
  const said = [submitted.stderr, worker.stderr, samples].join('\n');
  expect(worker.stderr).toContain('worker drained');
  expect(said).not.toContain(MARKER);
  expect(said).not.toContain('test-only');
});
