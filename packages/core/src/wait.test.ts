import { execFile } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { abortable, aborted, Loop, poll, TimeoutError, within } from './wait.js';

/** Longer than any test: who waits for it has not been woken. */
const NEVER_MS = 24 * 60 * 60_000;
const fail = (error: Error): never => {
  throw error;
};

describe('poll', () => {
  const { signal } = new AbortController();

  test('looks until something is found', async () => {
    const found = [undefined, undefined, 'found'];
    expect(await poll(async () => found.shift(), { everyMs: 1, signal })).toBe('found');
    expect(found).toEqual([]);
  });

  test('a signal ends the pause, with its reason', async () => {
    const stop = new AbortController();
    const looks = new EventTarget();
    const look = async (): Promise<void> => {
      looks.dispatchEvent(new Event('look'));
    };
    const looked = once(looks, 'look');
    const polling = expect(poll(look, { everyMs: NEVER_MS, signal: stop.signal })).rejects.toThrow('enough');
    await looked;
    await nextTurn();
    stop.abort(new Error('enough'));
    await polling;
  });

  test('nothing is looked at once the signal has aborted', async () => {
    const look = async (): Promise<string> => 'found';
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(poll(look, { everyMs: 1, signal: stopped })).rejects.toThrow('enough');
  });

  test('an error ends it, unless it has a handler for errors', async () => {
    const outcomes = (): (() => string)[] => [() => fail(new Error('broken')), () => 'found'];
    const look = (list: (() => string)[]) => async () => list.shift()?.();
    await expect(poll(look(outcomes()), { everyMs: 1, signal })).rejects.toThrow('broken');
    const told: string[] = [];
    const onError = ({ message }: Error): number => told.push(message);
    expect(await poll(look(outcomes()), { everyMs: 1, signal, onError })).toBe('found');
    expect(told).toEqual(['broken']);
  });

  test('looks take no more than their share of the time', async () => {
    const looks: { from: number; to: number }[] = [];
    await poll(
      async () => {
        const from = performance.now();
        while (performance.now() < from + 5);
        looks.push({ from, to: performance.now() });
        return looks.length === 2 ? 'enough' : undefined;
      },
      { everyMs: 1, shareOfTime: 0.25, signal },
    );
    const [first, second] = looks;
    // Node's timers may be early by a millisecond.
    expect((second?.from ?? 0) - (first?.to ?? 0)).toBeGreaterThanOrEqual(5 / 0.25 - 1);
  });
});

describe('a loop', () => {
  /** A loop whose looks wait until they are let go. */
  function held(options: { pauseFirst?: boolean } = {}) {
    const looks = new EventTarget();
    const release = new EventTarget();
    let under = 0;
    const loop = new Loop(
      async () => {
        under++;
        expect(under).toBe(1);
        const released = once(release, 'release');
        looks.dispatchEvent(new Event('look'));
        await released;
        under--;
      },
      { everyMs: NEVER_MS, onError: fail, ...options },
    );
    return {
      loop,
      look: (): Promise<unknown> => once(looks, 'look'),
      release: (): boolean => release.dispatchEvent(new Event('release')),
    };
  }

  test('starts with a look, and waking it ends the pause', async () => {
    const { loop, look, release } = held();
    await look();
    const second = look();
    release();
    await nextTurn();
    loop.wake();
    await second;
    release();
    await loop.close();
  });

  test('that is woken during a look looks again', async () => {
    const { loop, look, release } = held();
    await look();
    loop.wake();
    loop.wake();
    const second = look();
    release();
    await second;
    release();
    await loop.close();
  });

  test('that is to pause first can be woken, and closed', async () => {
    const { loop, look, release } = held({ pauseFirst: true });
    await nextTurn();
    const first = look();
    loop.wake();
    await first;
    release();
    await loop.close();
    await held({ pauseFirst: true }).loop.close();
  });

  test('is closed when the look under way has ended, which is told by the signal', async () => {
    const ends: string[] = [];
    const looks = new EventTarget();
    const loop = new Loop(
      async (signal) => {
        const aborted = once(signal, 'abort');
        looks.dispatchEvent(new Event('look'));
        await aborted;
        await nextTurn();
        ends.push(signal.reason.message);
        throw new Error('an error after the close');
      },
      { everyMs: NEVER_MS, onError: fail },
    );
    await once(looks, 'look');
    await loop.close(new Error('enough'));
    expect(ends).toEqual(['enough']);
  });

  test('goes on after an error', async () => {
    const errors: string[] = [];
    const looks = new EventTarget();
    const loop = new Loop(
      async () => {
        if (errors.length === 0) throw new Error('broken');
        looks.dispatchEvent(new Event('look'));
      },
      { everyMs: 1, onError: ({ message }) => errors.push(message) },
    );
    await once(looks, 'look');
    await loop.close();
    expect(errors).toEqual(['broken']);
  });

  test('may leave the process free to end', async () => {
    const options = `{ everyMs: ${NEVER_MS}, onError: console.error, keepAlive: false }`;
    expect(await endOf(`new Loop(async () => console.log('look'), ${options})`)).toEqual({
      code: 0,
      stdout: 'look\n',
    });
  });
});

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

const CORE = new URL('../dist/index.js', import.meta.url).href;

/** Runs a module that has everything of this package in scope. @returns how it ends by itself */
function endOf(source: string): Promise<{ code: number; stdout: string }> {
  const module = `import { abortable, Loop, TimeoutError, within } from '${CORE}'; ${source}`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', module], (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    );
  });
}
