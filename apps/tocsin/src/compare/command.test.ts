import { expect, test } from 'vitest';
import { parseGuardSpec } from './command.js';

test.each([
  ['starter', 'starter', undefined],
  ['starter:int8', 'starter', 'int8'],
  ['owner/name@main:bfloat16', 'owner/name@main', 'bfloat16'],
  ['C:\\guards\\mine', 'C:\\guards\\mine', undefined],
  ['C:\\guards\\mine:int4', 'C:\\guards\\mine', 'int4'],
  ['./a:b', './a:b', undefined],
  ['./int8', './int8', undefined],
  ['starter:int16', 'starter:int16', undefined],
])('%s is %s in %s', (text, ref, precision) => {
  expect(parseGuardSpec(text)).toEqual({ ref, precision });
});
