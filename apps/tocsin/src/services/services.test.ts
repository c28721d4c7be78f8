import { expect, test } from 'vitest';
import { runServices, type Service } from './services.js';

class TestService implements Service {
  readonly name: string;
  readonly failure = new AbortController();
  readonly failed = this.failure.signal;
  readonly #log: string[];
  readonly #onStart: () => void;

  constructor(name: string, log: string[], onStart: () => void = () => {}) {
    this.name = name;
    this.#log = log;
    this.#onStart = onStart;
  }

  async start(): Promise<void> {
    this.#log.push(`${this.name} starts`);
    this.#onStart();
  }

  async close(): Promise<void> {
    this.#log.push(`${this.name} closes`);
  }
}

test('services start in order, run until the signal, and close in the opposite order', async () => {
  const log: string[] = [];
  const stop = new AbortController();
  await runServices([new TestService('one', log), new TestService('two', log)], stop.signal, () => {
    log.push('all serve');
    stop.abort();
  });
  expect(log).toEqual(['one starts', 'two starts', 'all serve', 'two closes', 'one closes']);
});

test('one that cannot go on ends the others, and says why', async () => {
  const log: string[] = [];
  const broken = new TestService('two', log);
  const running = runServices([new TestService('one', log), broken], new AbortController().signal, () =>
    broken.failure.abort(new Error('no device')),
  );
  await expect(running).rejects.toThrow('no device');
  expect(log.slice(2)).toEqual(['two closes', 'one closes']);
});

test('one that does not start closes those before it, and those after it never start', async () => {
  const log: string[] = [];
  const bad = new TestService('two', log, () => {
    throw new Error('the port is taken');
  });
  const services = [new TestService('one', log), bad, new TestService('three', log)];
  await expect(runServices(services, new AbortController().signal)).rejects.toThrow('the port is taken');
  expect(log).toEqual(['one starts', 'two starts', 'two closes', 'one closes']);
});

test('what the signal breaks off is no failure', async () => {
  const log: string[] = [];
  const stop = new AbortController();
  const slow = new TestService('one', log, () => {
    stop.abort(new Error('stop'));
    stop.signal.throwIfAborted();
  });
  await runServices([slow], stop.signal);
  expect(log).toEqual(['one starts', 'one closes']);
});
