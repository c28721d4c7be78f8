import { bytesText, type ModelEvent, type TransferredBytes } from '@tocsin/models';
import cliProgress from 'cli-progress';
import { durationText } from '../score/progress.js';

/** Shows downloads and compilation during `openGuard` and `resolveGuard`. */
interface ModelProgress {
  onEvent(event: ModelEvent): void;
  onBytes(progress: TransferredBytes): void;
  /** Clears the bar. */
  stop(): void;
}

const SILENT: ModelProgress = { onEvent: () => {}, onBytes: () => {}, stop: () => {} };

const LINE_EVERY_MS = 10_000;

/**
 * Runs `work`, which resolves or opens a guard, and shows its progress: a bar on a terminal; occasional lines elsewhere
 * (logs, cron).
 */
export async function withModelProgress<T>(
  work: (shown: Pick<ModelProgress, 'onEvent' | 'onBytes'>) => Promise<T>,
  { stream = process.stderr, quiet = false }: { stream?: NodeJS.WriteStream; quiet?: boolean } = {},
): Promise<T> {
  const progress = quiet ? SILENT : stream.isTTY ? barProgress(stream) : lineProgress(stream);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}

function barProgress(stream: NodeJS.WriteStream): ModelProgress {
  const bar = new cliProgress.SingleBar(
    {
      stream,
      format: '{file} {bar} {percentage}% | {amount} | {rate}/s | {left} left',
      hideCursor: true,
      clearOnComplete: true,
      barsize: 30,
      formatBar: cliProgress.Format.BarFormat,
    },
    cliProgress.Presets.shades_classic,
  );
  let speed = speedometer();
  return {
    onEvent: ({ message }) => {
      bar.stop();
      stream.write(`\r\x1b[2K${message}\n`);
    },
    onBytes: (progress) => {
      if (!bar.isActive) speed = speedometer();
      const payload = { ...describe(progress, speed(progress)), file: progress.file };
      if (!bar.isActive) bar.start(progress.total, progress.done, payload);
      bar.update(progress.done, payload);
      if (progress.done >= progress.total) bar.stop();
    },
    stop: () => bar.stop(),
  };
}

function lineProgress(stream: NodeJS.WriteStream): ModelProgress {
  let last = performance.now();
  const speed = speedometer();
  return {
    onEvent: ({ message }) => {
      last = performance.now();
      stream.write(`${message}\n`);
    },
    onBytes: (progress) => {
      const rate = speed(progress);
      if (performance.now() - last < LINE_EVERY_MS) return;
      last = performance.now();
      const { amount, rate: perSecond, left } = describe(progress, rate);
      stream.write(`${progress.label}: ${amount}, ${perSecond}/s, ${left} left (${progress.file})\n`);
    },
    stop: () => {},
  };
}

/** Bytes per second since a download started, without the part resumed from an earlier attempt. */
function speedometer(): (progress: TransferredBytes) => number {
  let first: { label: string; done: number; at: number } | undefined;
  return ({ label, done }) => {
    const now = performance.now();
    if (first?.label !== label || done < first.done) first = { label, done, at: now };
    return now === first.at ? 0 : (1000 * (done - first.done)) / (now - first.at);
  };
}

function describe(
  { done, total }: TransferredBytes,
  rate: number,
): { amount: string; rate: string; left: string } {
  return {
    amount: `${bytesText(done)} of ${bytesText(total)}`,
    rate: bytesText(rate),
    left: rate === 0 ? '?' : durationText((total - done) / rate),
  };
}
