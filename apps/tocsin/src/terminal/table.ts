import type { TextTable } from '@tocsin/evaluate';
import Table from 'cli-table3';
import { oneLine } from './printable.js';

/** A table for terminals and logs: no colours, right-aligned numbers after the first column. */
export function tableText({ head, rows }: TextTable): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map(oneLine)));
  return table.toString();
}

/** One line per value after its name; a value without a name continues the previous one. */
export function fieldLines(fields: readonly (readonly [name: string, value: string])[]): string[] {
  return fields.map(([name, value]) => `${name === '' ? '' : `${name}:`}`.padEnd(12) + oneLine(value));
}

/** JSON with null instead of undefined, so that every field is present. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one === undefined ? null : one));
}

/** Names and values, one per line and aligned. */
export function factLines(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.map(([name, value]) => `${name.padEnd(width)}${oneLine(value)}`).join('\n');
}

/** Rows below a header, in aligned columns. */
export function columnLines(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows.map((row) => row.map(oneLine))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}
