import type { Verdict } from '@tocsin/contract';

/** What a reviewer may say of a row, and by which key. */
export const VERDICTS: readonly { verdict: Verdict; label: string; key: string; look: string }[] = [
  { verdict: 'harmful', label: 'Harmful', key: 'h', look: 'warn' },
  { verdict: 'fine', label: 'Fine', key: 'f', look: '' },
  { verdict: 'skip', label: 'Skip', key: 's', look: '' },
];
