import type { TocsinProcess } from '../setup/tocsin.js';

/** The address of a process started with `--metrics-port 0`, from its log. */
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

/** The response of `/readyz`. */
export async function readiness(at: string): Promise<{ status: number; reasons: Record<string, string> }> {
  const answer = await fetch(`${at}/readyz`);
  const { reasons = {} } = (await answer.json()) as { reasons?: Record<string, string> };
  return { status: answer.status, reasons };
}
