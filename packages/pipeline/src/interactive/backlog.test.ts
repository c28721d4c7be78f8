import { beforeEach, expect, test } from 'vitest';
import { BusyError } from './admission.js';
import { Backlog, type PendingRequest } from './backlog.js';

const LIMIT_MS = 30_000;

let clock: number;
let backlog: Backlog;
/** Names of the requests that were refused after they were admitted. */
let refused: string[];
beforeEach(() => {
  clock = 0;
  refused = [];
  backlog = new Backlog(() => clock);
});

const enter = (client: string, tokens: number, name = client): PendingRequest =>
  backlog.enter(client, tokens, LIMIT_MS, (error) => {
    expect(error).toBeInstanceOf(BusyError);
    refused.push(name);
  });

/** Workers score so many tokens of a request, in equal steps. */
function score(request: PendingRequest, tokens: number, seconds: number): void {
  for (let i = 0; i < 10; i++) {
    clock += seconds * 100;
    request.answered(tokens / 10, true);
  }
}

function errorOf(work: () => unknown): BusyError {
  try {
    work();
  } catch (error) {
    if (error instanceof BusyError) return error;
    throw error;
  }
  throw new Error('the request was admitted');
}

test('nothing is refused while the speed is unknown, however much is pending', () => {
  for (let i = 0; i < 20; i++) enter('a', 10_000);
  clock += 29_000;
  enter('a', 10_000);
  expect(refused).toEqual([]);
});

test('few pending tokens tell nothing about the speed', () => {
  const first = enter('a', 1_000);
  score(first, 100, 20);
  enter('a', 1_000);
  enter('a', 100_000);
  expect(refused).toEqual([]);
});

test('a request that cannot be answered in time is refused at once, with the time after which it could', () => {
  const first = enter('a', 20_000);
  score(first, 5_000, 5);
  enter('a', 5_000);
  const error = errorOf(() => enter('a', 5_000));
  expect(error.message).toBe(
    'too many interactive requests: this one would take about 25 s (25000 tokens at 1000 tokens/s), and it may take 30 s',
  );
  expect(error.retryAfter).toBe(1);
  expect(errorOf(() => enter('a', 15_000)).retryAfter).toBe(11);
  score(first, 1_000, 1);
  enter('a', 5_000);
  expect(refused).toEqual([]);
});

test('requests admitted before the speed was known are refused when it is; the oldest is not', () => {
  const first = enter('a', 20_000, 'first');
  enter('a', 5_000, 'second');
  enter('b', 1_000, 'of another');
  enter('a', 10_000, 'third');
  score(first, 2_500, 2.5);
  expect(refused).toEqual([]);
  score(first, 2_500, 2.5);
  expect(refused).toEqual(['third']);
  enter('c', 50_000, 'new');
  score(first, 1_000, 10);
  expect(refused).toEqual(['third', 'second']);
});

test('look-ups do not count as speed, and free their place', () => {
  const first = enter('a', 60_000);
  score(first, 4_000, 4);
  errorOf(() => enter('a', 1_000));
  first.answered(50_000, false);
  enter('a', 1_000);
});

test('a client waits for as much of a flood as it has itself, and a new client is always admitted', () => {
  const flood = enter('flood', 100_000);
  score(flood, 5_000, 5);
  enter('b', 90_000);
  enter('c', 2_000);
  enter('c', 2_000);
  expect(errorOf(() => enter('c', 5_000)).message).toContain('27000 tokens at 1000 tokens/s');
});

test('what left is not pending, and counts once', () => {
  const first = enter('a', 50_000);
  const second = enter('a', 1_000);
  score(second, 1_000, 4);
  errorOf(() => enter('a', 10_000));
  first.leave();
  first.leave();
  first.answered(50_000, true);
  enter('a', 5_000);
});

test('when nothing is scored any more the speed is unknown, and it is measured again', () => {
  const first = enter('a', 50_000);
  score(first, 4_000, 4);
  clock += 10_000;
  errorOf(() => enter('a', 1_000));
  clock += 10_000;
  enter('a', 1_000);
  clock += 1_000;
  enter('a', 1_000);
});

test('time in which workers are stopped does not count as slowness', () => {
  const first = enter('a', 10_000, 'first');
  enter('a', 5_000, 'second');
  clock += 8_000;
  score(first, 5_000, 5);
  expect(refused).toEqual([]);
  clock += 60_000;
  score(first, 4_000, 4);
  enter('a', 10_000, 'third');
  expect(refused).not.toContain('third');
});
