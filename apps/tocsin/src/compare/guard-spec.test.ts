import { expect, test } from 'vitest';
import { parseGuardSpec } from './guard-spec.js';

test.each([
  ['starter', 'starter', 'float32'],
  ['starter:int8', 'starter', 'int8'],
  ['owner/name@main:bfloat16', 'owner/name@main', 'bfloat16'],
  ['C:\\guards\\mine', 'C:\\guards\\mine', 'float32'],
  ['C:\\guards\\mine:int4', 'C:\\guards\\mine', 'int4'],
  ['./a:b', './a:b', 'float32'],
  ['./int8', './int8', 'float32'],
  ['starter:int16', 'starter:int16', 'float32'],
])('%s is %s in %s', (text, ref, precision) => {
  expect(parseGuardSpec(text)).toEqual({ ref, precision });
});
