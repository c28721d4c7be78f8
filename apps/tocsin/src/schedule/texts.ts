import { countText } from '@tocsin/evaluate';
import type { FiringSummary } from '@tocsin/scheduler';
import type { FiringRow, ScheduleRow } from '@tocsin/store';
import { tableText } from '../terminal/table.js';

/** In a time zone, to the minute: `2026-11-24 03:00`. */
export function zonedText(date: Date, timeZone: string): string {
  // The Swedish locale writes dates as ISO does.
  return date.toLocaleString('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
}

export function stateText({ enabled, webhookClosed }: ScheduleRow): string {
  if (!enabled) return 'paused';
  return webhookClosed === null ? 'on' : 'on, webhook closed';
}

const FIGURES = ['rows', 'new', 'flagged', 'newFlagged'] as const;

export function firingsTable(firings: readonly FiringRow[], timeZone: string): string {
  return tableText({
    head: ['due', 'by', 'state', 'run', 'rows', 'new', 'flagged', 'new flagged', 'PSI', 'KS', 'why'],
    rows: firings.map((firing) => {
      const summary = firing.summary as FiringSummary | null;
      const drift = summary?.drift;
      return [
        zonedText(firing.dueAt, timeZone),
        firing.cause,
        firing.state,
        firing.runId === null ? '-' : String(firing.runId),
        ...FIGURES.map((name) => (summary === null ? '-' : countText(summary[name]))),
        measureText(drift?.populationStability),
        measureText(drift?.kolmogorovSmirnov),
        firing.reason ?? '',
      ];
    }),
  });
}

function measureText(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(3);
}
