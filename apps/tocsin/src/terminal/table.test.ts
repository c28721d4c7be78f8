import { expect, test } from 'vitest';
import { columnLines, factLines, fieldLines, tableText } from './table.js';

/** A name with a line break, a carriage return, a tab and a bidirectional control. */
const FORGED = 'a\n│ 9 │ b\r\t\u2028\u2029\u202e\u0085\u001b[2Ac';
const SHOWN = 'a\\n│ 9 │ b\\r\\t\\u2028\\u2029\\u202e\\u0085\\u001b[2Ac';

test('whatever a name holds, a row of a table is one line and has its columns', () => {
  const plain = tableText({ head: ['run', 'corpus'], rows: [['1', 'x']] });
  const forged = tableText({ head: ['run', 'corpus'], rows: [['1', FORGED]] });
  expect(forged.split('\n')).toHaveLength(plain.split('\n').length);
  expect(forged).toContain(`│ ${SHOWN} │`);
});

test('and a field of a summary is one line', () => {
  expect(fieldLines([['corpus', FORGED]])).toEqual([`corpus:     ${SHOWN}`]);
  expect(factLines([['name', FORGED]])).toBe(`name  ${SHOWN}`);
  expect(columnLines(['name', 'size'], [[FORGED, '1']]).split('\n')).toHaveLength(2);
});
