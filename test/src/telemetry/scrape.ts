import type { TocsinProcess } from '../setup/tocsin.js';

/** Where a process that was started with `--metrics-port 0` listens, by its log. */
export function listensAt(process: TocsinProcess): Promise<string> {
  return process.said(/"at":"(http:[^"]+)"/);
}

/** The samples of a process: `name{labels}` to value. */
export async function scrape(at: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${at}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** What `/readyz` says. */
export async function readiness(at: string): Promise<{ status: number; reasons: Record<string, string> }> {
  const answer = await fetch(`${at}/readyz`);
  const { reasons = {} } = (await answer.json()) as { reasons?: Record<string, string> };
  return { status: answer.status, reasons };
}
