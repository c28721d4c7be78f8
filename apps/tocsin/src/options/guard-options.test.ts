import { Command } from 'commander';
import { expect, test } from 'vitest';
import {
  addGuardOptions,
  type GuardFlags,
  guardArguments,
  probability,
  wholeNumber,
} from './guard-options.js';

function parse(args: string[]): GuardFlags {
  return addGuardOptions(new Command().exitOverride()).parse(args, { from: 'user' }).opts<GuardFlags>();
}

test("a child process gets its parent's flags", () => {
  const flags = parse(['-g', 'my guard', '--backbone', 'b.gguf', '--threads', '2', '--cache-dir', '/c']);
  expect(parse(guardArguments(flags))).toEqual(flags);
  expect(guardArguments(parse(['-g', 'starter']))).not.toContain('--backbone');
});

test.each(['1', '16', '999999999'])('%s is a whole number', (text) => {
  expect(wholeNumber(text)).toBe(Number(text));
});
test.each(['0', '-1', '1.5', '1e3', '', ' 1', '0x1', '1234567890'])('%j is none from 1', (text) => {
  expect(() => wholeNumber(text)).toThrow('Expected a whole number from 1.');
});
test.each(['0', '1', '0.5', '1e-3'])('%s is a probability', (text) => {
  expect(probability(text)).toBe(Number(text));
});
test.each(['-0.1', '1.1', 'half', '', ' ', 'NaN', 'Infinity'])('%j is none', (text) => {
  expect(() => probability(text)).toThrow('Expected a number from 0 to 1.');
});

test.each(['auto', 'cpu', 'cuda', 'cuda:1', 'webgpu'])('%s is a device, and reaches a child', (device) => {
  const flags = parse(['-g', 'starter', '--device', device, '--precision', 'bfloat16']);
  expect(parse(guardArguments(flags))).toMatchObject({ device, precision: 'bfloat16' });
});
test('other devices and precisions are refused, with what there is', () => {
  const program = (args: string[]) => () =>
    addGuardOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} })).parse(
      ['-g', 'starter', ...args],
      { from: 'user' },
    );
  expect(program(['--device', 'gpu'])).toThrow('Expected one of auto, cpu, cuda[:n], webgpu.');
  expect(program(['--precision', 'int2'])).toThrow('float32, float16, bfloat16, int8, int4');
});
test('without a precision the device decides', () => {
  expect(parse(['-g', 'starter']).precision).toBeUndefined();
});
