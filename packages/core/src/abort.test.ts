import { getEventListeners, once } from 'node:events';
import { expect, test } from 'vitest';
import { abortable, aborted, TimeoutError, within } from './abort.js';
import { endOf } from './testing/end-of.js';

const never = new Promise<never>(() => {});

test('work that ends first is what counts, and the signal is let go', async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve(1), signal)).toBe(1);
  await expect(abortable(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a signal that aborts first is what counts, however the work ends', async () => {
  const stop = new AbortController();
  const waiting = abortable(never, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(abortable(Promise.resolve(1), stop.signal)).rejects.toThrow('enough');
  const late = Promise.reject(new Error('not awaited'));
  await expect(abortable(late, stop.signal)).rejects.toThrow('enough');
});

test('an abort can be waited for, before and after', async () => {
  const stop = new AbortController();
  const waiting = aborted(stop.signal);
  stop.abort();
  await waiting;
  await aborted(stop.signal);
});

test('work has so many milliseconds', async () => {
  const waiting = within(1, never);
  await expect(waiting).rejects.toThrow(TimeoutError);
  await expect(waiting).rejects.toThrow('no answer within 0.001 s');
  const child = new EventTarget();
  const heard = within(60 * 60_000, once(child, 'word'));
  child.dispatchEvent(new Event('word'));
  await heard;
});

test('a process lives as long as it waits, and no longer', async () => {
  const late = `await within(20, new Promise(() => {})).catch((error) => console.log(error.name));`;
  expect(await endOf(late)).toEqual({ code: 0, stdout: 'TimeoutError\n' });
  expect(await endOf(`console.log(await within(24 * 60 * 60_000, Promise.resolve(1)));`)).toEqual({
    code: 0,
    stdout: '1\n',
  });
});
