import type { NewVerdict, ReviewRow } from '@tocsin/contract';
import { describe, expect, test } from 'vitest';
import { ReviewQueue, type ReviewService, type ReviewState } from './review-queue.js';

const row = (seq: number): ReviewRow => ({
  run: 1,
  seq,
  key: `row-${seq}`,
  score: 0.5,
  content: { text: 'a cup of tea' },
  leasedUntil: '2026-01-01T00:00:00Z',
});

/** A server of rows 1 to `rows`, and what the queue showed. */
class Bed {
  readonly verdicts: NewVerdict[] = [];
  readonly released: number[] = [];
  readonly lost: unknown[] = [];
  state: ReviewState = { phase: 'loading' };
  refuse: Error | undefined;
  readonly queue: ReviewQueue;
  #next = 1;

  constructor(rows: number, service: Partial<ReviewService> = {}) {
    this.queue = new ReviewQueue(
      {
        next: async () => ({ row: this.#next > rows ? null : row(this.#next++) }),
        judge: async (verdict) => {
          if (this.refuse) throw this.refuse;
          this.verdicts.push(verdict);
        },
        undo: async () => {
          const last = this.verdicts.pop();
          return last === undefined
            ? { undone: null, row: null }
            : { undone: { ...last, id: 1, note: null, at: '' }, row: row(last.seq) };
        },
        release: async (_, seq) => {
          this.released.push(seq);
        },
        ...service,
      },
      {
        onState: (state) => {
          this.state = state;
        },
        onAhead: () => {},
        onLost: (error) => this.lost.push(error),
      },
    );
  }

  get shown(): number | string {
    return this.state.phase === 'row' ? this.state.row.seq : this.state.phase;
  }
}

test('rows come one after another until none is left', async () => {
  const bed = new Bed(3);
  await bed.queue.start();
  const shown = [];
  for (let i = 0; i < 4; i++) {
    shown.push(bed.shown);
    await bed.queue.judge('fine');
  }
  expect(shown).toEqual([1, 2, 3, 'done']);
  expect(bed.verdicts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('the next row is there before the present one is judged', async () => {
  const bed = new Bed(3);
  await bed.queue.start();
  expect(bed.queue.held.map(({ seq }) => seq)).toEqual([1, 2]);
  void bed.queue.judge('harmful');
  expect(bed.shown).toBe(2);
});

test('a verdict that does not arrive brings its row back, and the others are not lost', async () => {
  const bed = new Bed(3);
  await bed.queue.start();
  bed.refuse = new Error('no answer');
  await bed.queue.judge('harmful', 'a note');
  expect(bed.shown).toBe(1);
  expect(bed.lost).toEqual([bed.refuse]);
  bed.refuse = undefined;
  for (let i = 0; i < 3; i++) await bed.queue.judge('harmful');
  expect(bed.verdicts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(bed.shown).toBe('done');
});

test('undo shows the last row again, and then goes on where it was', async () => {
  const bed = new Bed(3);
  await bed.queue.start();
  await bed.queue.judge('fine');
  await bed.queue.undo(1);
  expect(bed.shown).toBe(1);
  await bed.queue.judge('harmful');
  expect(bed.shown).toBe(2);
});

test('what is leased is given back', async () => {
  const bed = new Bed(3);
  await bed.queue.start();
  await bed.queue.close();
  expect(bed.released).toEqual([1, 2]);
});

describe('a server that does not answer', () => {
  test('is said to be so, and asked again on request', async () => {
    let answers = false;
    const bed = new Bed(0, {
      next: async () => {
        if (!answers) throw new Error('no answer');
        return { row: row(7) };
      },
    });
    await bed.queue.start();
    expect(bed.shown).toBe('failed');
    answers = true;
    await bed.queue.start();
    expect(bed.shown).toBe(7);
  });

  test('while a row is read does not take the row away', async () => {
    let asked = 0;
    const bed = new Bed(0, {
      next: async () => {
        asked++;
        if (asked > 1) throw new Error('no answer');
        return { row: row(1) };
      },
    });
    await bed.queue.start();
    expect(bed.shown).toBe(1);
  });
});

test('the server is told which rows are at hand, those with a verdict on its way too', async () => {
  const asked: number[][] = [];
  let arrive = (): void => {};
  let next = 1;
  const bed = new Bed(0, {
    next: async (besides) => {
      asked.push(besides);
      return { row: row(next++) };
    },
    judge: () =>
      new Promise((resolve) => {
        arrive = () => resolve(undefined);
      }),
  });
  await bed.queue.start();
  await bed.queue.judge('fine');
  expect(asked).toEqual([[], [1], [2, 1]]);
  arrive();
});

test('however fast somebody is, the server is asked once at a time', async () => {
  let asking = 0;
  let most = 0;
  let next = 1;
  const bed = new Bed(0, {
    next: async () => {
      most = Math.max(most, ++asking);
      await new Promise((resolve) => setTimeout(resolve, 1));
      asking--;
      return { row: next > 20 ? null : row(next++) };
    },
  });
  await bed.queue.start();
  const judged = [];
  while (bed.shown !== 'done') {
    judged.push(bed.queue.judge('fine'), bed.queue.judge('fine'));
    await Promise.race(judged);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(judged);
  expect(most).toBe(1);
  expect(bed.verdicts.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

test('rows at hand are kept for longer by asking for each again', async () => {
  const asked: number[][] = [];
  let next = 1;
  const bed = new Bed(0, {
    next: async (besides) => {
      asked.push(besides);
      const own = next > 2 ? [1, 2].find((seq) => !besides.includes(seq)) : undefined;
      return { row: row(own ?? next++) };
    },
  });
  await bed.queue.start();
  asked.length = 0;
  await bed.queue.renew();
  expect(asked).toEqual([[2], [1]]);
  expect(bed.queue.held.map(({ seq }) => seq)).toEqual([1, 2]);
});
