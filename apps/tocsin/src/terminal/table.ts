import type { TextTable } from '@tocsin/evaluate';
import Table from 'cli-table3';
import { oneLine } from './printable.js';

/** A table for a terminal or a log: no colours, numbers to the right of the first column. */
export function tableText({ head, rows }: TextTable): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map(oneLine)));
  return table.toString();
}

/** A line for each value, after its name; a value without a name goes on from the one before it. */
export function fieldLines(fields: readonly (readonly [name: string, value: string])[]): string[] {
  return fields.map(([name, value]) => `${name === '' ? '' : `${name}:`}`.padEnd(12) + oneLine(value));
}

/** JSON with null for what is undefined, so that a field is always there. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one === undefined ? null : one));
}
