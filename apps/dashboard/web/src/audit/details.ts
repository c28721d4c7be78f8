import type { AuditEntry } from '@tocsin/contract';
import { count, threshold } from '../format.js';

/** Row numbers or ranges shown per line; a click shows the rest. */
const SHOWN_RANGES = 6;

/** The details of an entry. */
export interface Told {
  text: string;
  /** The full text, when `text` is shortened. */
  full?: string;
}

/** An entry's details in words: row ranges, threshold changes, names. */
export function detailsOf({ action, details }: Pick<AuditEntry, 'action' | 'details'>): Told {
  const { seqs, ...rest } = details;
  if (isNumbers(seqs)) return rowsTold(seqs);
  if (action === 'policy.change') return { text: policyChange(rest) };
  return {
    text: Object.entries(rest)
      .map(([name, value]) => `${wordsOf(name)}: ${shown(value)}`)
      .join(', '),
  };
}

/** What was changed or read: a key by its name, because people do not know its id. */
export function subjectOf({ action, subject, details }: AuditEntry): string {
  return action.startsWith('key.') && typeof details.name === 'string' ? `key ${details.name}` : subject;
}

function rowsTold(seqs: readonly number[]): Told {
  const ranges = rangesOf(seqs);
  if (ranges.length <= SHOWN_RANGES) return { text: `Rows ${ranges.join(', ')}` };
  const rest = ranges.length - SHOWN_RANGES;
  return {
    text: `Rows ${ranges.slice(0, SHOWN_RANGES).join(', ')} and ${count(rest)} more`,
    full: `Rows ${ranges.join(', ')}`,
  };
}

/** Sorted numbers with neighbours as ranges: 1–3, 7. */
export function rangesOf(numbers: readonly number[]): string[] {
  const ranges: [from: number, to: number][] = [];
  for (const number of [...new Set(numbers)].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? count(from) : `${count(from)}\u2013${count(to)}`));
}

function policyChange({ from, to, name, archived }: Record<string, unknown>): string {
  const said: string[] = [];
  if (typeof from === 'number' && typeof to === 'number') {
    said.push(
      from === to ? `Threshold: ${threshold(to)}` : `Threshold: ${threshold(from)} \u2192 ${threshold(to)}`,
    );
  }
  if (typeof name === 'string') said.push(`name: ${name}`);
  if (archived === true) said.push('archived');
  return said.join(', ');
}

function wordsOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return count(value);
  return Array.isArray(value) ? value.map(shown).join(', ') : JSON.stringify(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');
}
