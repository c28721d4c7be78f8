import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addGuardOptions, type GuardFlags, guardArguments } from './guard-options.js';

function parse(args: string[]): GuardFlags {
  return addGuardOptions(new Command().exitOverride()).parse(args, { from: 'user' }).opts<GuardFlags>();
}

test("a child process gets its parent's flags", () => {
  const flags = parse(['-g', 'my guard', '--backbone', 'b.gguf', '--threads', '2', '--cache-dir', '/c']);
  expect(parse(guardArguments(flags))).toEqual(flags);
  expect(guardArguments(parse(['-g', 'starter']))).not.toContain('--backbone');
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
