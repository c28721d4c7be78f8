import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExclusiveLock } from './quarantine.js';

const NEVER = new AbortController().signal;

/** Work that stays inside until it is released. */
class Guest {
  inside = false;
  out = (): void => {};
  readonly #stay = new Promise<void>((resolve) => {
    this.out = resolve;
  });

  readonly visit = async (): Promise<void> => {
    this.inside = true;
    await this.#stay;
    this.inside = false;
  };
}

test('first come, first served: exclusive work waits for shared work, and later work waits for it', async () => {
  const lock = new ExclusiveLock();
  const guests = Array.from({ length: 5 }, () => new Guest());
  const [first, second, lone, third, fourth] = guests as [Guest, Guest, Guest, Guest, Guest];
  const visits = [
    lock.shared(first.visit, NEVER),
    lock.shared(second.visit, NEVER),
    lock.exclusive(lone.visit, NEVER),
    lock.shared(third.visit, NEVER),
    lock.shared(fourth.visit, NEVER),
  ];
  const inside = async (): Promise<boolean[]> => {
    await turn();
    return guests.map((guest) => guest.inside);
  };
  expect(await inside()).toEqual([true, true, false, false, false]);
  first.out();
  expect(await inside()).toEqual([false, true, false, false, false]);
  second.out();
  expect(await inside()).toEqual([false, false, true, false, false]);
  lone.out();
  expect(await inside()).toEqual([false, false, false, true, true]);
  third.out();
  fourth.out();
  await Promise.all(visits);
});

test('an aborted wait blocks no other work, and failed work releases the lock', async () => {
  const lock = new ExclusiveLock();
  const first = new Guest();
  const last = new Guest();
  const leaving = new AbortController();
  const visit = lock.shared(first.visit, NEVER);
  const left = lock.exclusive(() => expect.unreachable(), leaving.signal);
  const lastVisit = lock.shared(last.visit, NEVER);
  leaving.abort(new Error('enough'));
  await expect(left).rejects.toThrow('enough');
  await turn();
  expect(last.inside).toBe(true);
  first.out();
  last.out();
  await Promise.all([visit, lastVisit]);

  await expect(lock.exclusive(() => Promise.reject(new Error('broken')), NEVER)).rejects.toThrow('broken');
  await expect(lock.shared(async () => 1, AbortSignal.abort(new Error('too late')))).rejects.toThrow(
    'too late',
  );
  expect(await lock.exclusive(async () => 2, NEVER)).toBe(2);
});

test('exclusive work runs alone, and all work gets the lock', async () => {
  const visits = fc.array(fc.record({ alone: fc.boolean(), turns: fc.nat(3), later: fc.nat(3) }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(visits, async (planned) => {
      const lock = new ExclusiveLock();
      let inside = 0;
      const wait = async (turns: number): Promise<void> => {
        for (let i = 0; i < turns; i++) await turn();
      };
      const seen = await Promise.all(
        planned.map(async ({ alone, turns, later }) => {
          await wait(later);
          return lock[alone ? 'exclusive' : 'shared'](async () => {
            inside++;
            await wait(turns);
            const running = inside;
            inside--;
            return { alone, running };
          }, NEVER);
        }),
      );
      expect(seen).toHaveLength(planned.length);
      for (const { alone, running } of seen) if (alone) expect(running).toBe(1);
    }),
    { numRuns: 50 },
  );
});
