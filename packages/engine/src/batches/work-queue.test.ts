import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WorkQueue } from './work-queue.js';

/** Pieces of work that record their start and end. */
function logged(log: string[]): (name: string) => () => Promise<void> {
  return (name) => async () => {
    log.push(`${name} begins`);
    await nextTurn();
    log.push(`${name} ends`);
  };
}

async function drained(queue: WorkQueue): Promise<void> {
  await new Promise<void>((resolve) => queue.add(undefined, async () => resolve()));
}

test('one piece at a time, in the order in which they came', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  const piece = logged(log);
  for (const name of ['a', 'b', 'c']) queue.add(undefined, piece(name));
  await drained(queue);
  queue.add(undefined, piece('d'));
  await drained(queue);
  expect(log).toEqual(['a', 'b', 'c', 'd'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('what has not begun can be taken back, even as the piece before it ends', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  const piece = logged(log);
  queue.add(1, async () => {
    // Like a message that arrives while a forward pass blocks the thread.
    setImmediate(() => log.push(`recalled ${[1, 2, 3, 4].filter((id) => queue.recall(id))}`));
  });
  queue.add(2, piece('b'));
  queue.add(3, piece('c'));
  await drained(queue);
  expect(log).toEqual(['recalled 2,3']);
});
