import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet, GUARD, ROWS } from '../fleet/fleet.js';
import { goldenGuard, TocsinProcess, tocsin } from '../setup/tocsin.js';
import { SpanReceiver } from './receivers.js';

let fleet: Fleet;
let receiver: SpanReceiver;
beforeEach(async () => {
  fleet = await Fleet.open();
  receiver = await SpanReceiver.start();
});
afterEach(async () => {
  await fleet.close();
  await receiver.close();
});

const MARKER = 'zuckerguss';

test.each(['redis', 'postgres'])(
  'one trace leads from a window to its scores; queue in %s',
  async (queue) => {
    const env = {
      ...fleet.env,
      ...(queue === 'postgres' && { REDIS_URL: undefined }),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    };
    const rows = ROWS.slice(0, 40).map(({ id, text }) => ({ id, text: `${text} ${MARKER}` }));
    const corpus = await fleet.corpus(rows);
    const submitted = await tocsin(['submit', corpus, ...goldenGuard(GUARD)], { env });
    expect(submitted.stderr).not.toMatch(/error/i);
    const worker = new TocsinProcess(['work', ...goldenGuard(GUARD), '--threads', '1'], { env });
    await fleet.untilState(Number(String(submitted.stdout)), 'done');
    worker.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ exitCode: 0 });

    const one = (name: string) => {
      const span = receiver.spans.find((it) => it.name === name);
      if (span === undefined)
        throw new Error(`no span ${name}: ${receiver.spans.map((it) => it.name).join()}`);
      return span;
    };
    const window = one('submit window');
    expect(window).toMatchObject({ service: 'tocsin-tocsin', parent: undefined });
    for (const name of ['parcel lease', 'parcel score', 'parcel complete']) {
      const step = one(name);
      expect(step).toMatchObject({ service: 'tocsin-worker', trace: window.trace });
      // From parent to parent, across BullMQ's spans and both processes.
      expect(receiver.ancestors(step)).toContain('submit window');
    }
    expect(one('forward pass')).toMatchObject({ service: 'tocsin-worker', parent: undefined });
    expect(receiver.bodies.join()).not.toContain(MARKER);
  },
);
