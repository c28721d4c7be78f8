import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LoneGate } from './suspect.js';

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

test('in the order of their coming: who is to be alone waits, and who comes later waits for it', async () => {
  const gate = new LoneGate();
  const guests = Array.from({ length: 5 }, () => new Guest());
  const [first, second, lone, third, fourth] = guests as [Guest, Guest, Guest, Guest, Guest];
  const visits = [
    gate.beside(first.visit, NEVER),
    gate.beside(second.visit, NEVER),
    gate.alone(lone.visit, NEVER),
    gate.beside(third.visit, NEVER),
    gate.beside(fourth.visit, NEVER),
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

test('who waits leaves with the signal and holds nobody up; work that fails lets the next one in', async () => {
  const gate = new LoneGate();
  const first = new Guest();
  const last = new Guest();
  const leaving = new AbortController();
  const visit = gate.beside(first.visit, NEVER);
  const left = gate.alone(() => expect.unreachable(), leaving.signal);
  const lastVisit = gate.beside(last.visit, NEVER);
  leaving.abort(new Error('enough'));
  await expect(left).rejects.toThrow('enough');
  await turn();
  expect(last.inside).toBe(true);
  first.out();
  last.out();
  await Promise.all([visit, lastVisit]);

  await expect(gate.alone(() => Promise.reject(new Error('broken')), NEVER)).rejects.toThrow('broken');
  await expect(gate.beside(async () => 1, AbortSignal.abort(new Error('too late')))).rejects.toThrow(
    'too late',
  );
  expect(await gate.alone(async () => 2, NEVER)).toBe(2);
});

test('whatever comes and goes: nobody is beside who is alone, and everybody gets in', async () => {
  const visits = fc.array(fc.record({ alone: fc.boolean(), turns: fc.nat(3), later: fc.nat(3) }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(visits, async (planned) => {
      const gate = new LoneGate();
      let inside = 0;
      const wait = async (turns: number): Promise<void> => {
        for (let i = 0; i < turns; i++) await turn();
      };
      const seen = await Promise.all(
        planned.map(async ({ alone, turns, later }) => {
          await wait(later);
          return gate[alone ? 'alone' : 'beside'](async () => {
            inside++;
            await wait(turns);
            const beside = inside;
            inside--;
            return { alone, beside };
          }, NEVER);
        }),
      );
      expect(seen).toHaveLength(planned.length);
      for (const { alone, beside } of seen) if (alone) expect(beside).toBe(1);
    }),
    { numRuns: 50 },
  );
});
