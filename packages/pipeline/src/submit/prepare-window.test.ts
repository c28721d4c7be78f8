import { UserError } from '@tocsin/core';
import type { CorpusRow } from '@tocsin/corpus';
import type { Content } from '@tocsin/engine';
import { expect, test } from 'vitest';
import { prepareWindow } from './prepare-window.js';

const content: Content = { tokenIds: Int32Array.of(1), hash: Buffer.alloc(32), truncated: false };
const item = (seq: number, text: string): CorpusRow => ({
  kind: 'item',
  seq,
  key: `row-${seq}`,
  file: 'corpus.jsonl',
  line: seq,
  content: { text },
});

test('rows that cannot be prepared become rejects with their place and reason; the others keep their order', async () => {
  const broken: CorpusRow = {
    ...item(2, ''),
    kind: 'reject',
    rejectKind: 'json',
    reason: 'The line is not JSON.',
  };
  const rows = [item(1, 'tea'), broken, item(3, 'refused'), item(4, 'bread')];
  const asked: unknown[] = [];
  const { window, contents } = await prepareWindow(
    {
      contentsOf: async (items) => {
        asked.push(...items);
        return items.map((given) =>
          Object.values(given).includes('refused') ? new UserError('no text') : content,
        );
      },
    },
    rows,
  );
  expect(asked).toEqual([{ text: 'tea' }, { text: 'refused' }, { text: 'bread' }]);
  expect(window).toEqual([
    rows[0],
    broken,
    {
      kind: 'reject',
      seq: 3,
      key: 'row-3',
      file: 'corpus.jsonl',
      line: 3,
      rejectKind: 'guard',
      reason: 'No text.',
    },
    rows[3],
  ]);
  expect(contents).toEqual([content, undefined, undefined, content]);
});
