import { countText } from '@tocsin/evaluate';
import cliProgress from 'cli-progress';
import { oneLine } from '../terminal/printable.js';

/** Progress of a run. */
interface ProgressState {
  rowsDone: number;
  tokensDone: number;
  /** Tokens of the whole corpus, if known or estimated. */
  tokensTotal: number;
}

/** Displays the progress of a run. */
export interface Progress {
  show(state: ProgressState): void;
  /** A message between updates, e.g. about a restart. */
  note(message: string): void;
  /** The current step: `reading rows`. Its counts follow with `show`. */
  phase(what: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 10_000;

/** A bar on a terminal; occasional lines elsewhere (logs, cron). Both on standard error. */
export function openProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? new BarProgress(stream) : new LineProgress(stream);
}

/** Shows notes only: what was guessed, left out or restarted. */
export function quietProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return {
    show: () => {},
    note: (message) => void stream.write(`${oneLine(message)}\n`),
    phase: () => {},
    stop: () => {},
  };
}

class BarProgress implements Progress {
  readonly #bar: cliProgress.SingleBar;
  readonly #started = performance.now();
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    const format = '{bar} {percentage}% | {rows} rows | {rate} rows/s | {left} left';
    this.#bar = new cliProgress.SingleBar(
      {
        format,
        stream,
        hideCursor: true,
        clearOnComplete: true,
        barsize: 30,
        formatBar: cliProgress.Format.BarFormat,
      },
      cliProgress.Presets.shades_classic,
    );
  }

  show(state: ProgressState): void {
    const { rate, left } = speedOf(state, this.#started);
    const payload = { rows: countText(state.rowsDone), rate, left };
    const total = Math.max(state.tokensTotal, 1);
    if (!this.#bar.isActive) this.#bar.start(total, state.tokensDone, payload);
    this.#bar.setTotal(total);
    this.#bar.update(Math.min(state.tokensDone, total), payload);
  }

  note(message: string): void {
    this.#stream.write(`\r\x1b[2K${oneLine(message)}\n`);
  }

  phase(what: string): void {
    this.note(`${what} ...`);
  }

  stop(): void {
    this.#bar.stop();
  }
}

class LineProgress implements Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #started = performance.now();
  #last = performance.now();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(state: ProgressState): void {
    if (performance.now() - this.#last < LINE_EVERY_MS) return;
    this.#last = performance.now();
    const { rate, left } = speedOf(state, this.#started);
    if (state.tokensTotal === 0) {
      // Nothing is stored yet, or all rows so far were cached.
      if (state.rowsDone > 0)
        this.#stream.write(`${state.rowsDone} rows read, all of them scored before, ${rate} rows/s\n`);
      return;
    }
    const percent = Math.floor((100 * state.tokensDone) / Math.max(state.tokensTotal, 1));
    this.#stream.write(`${percent}%, ${state.rowsDone} rows, ${rate} rows/s, ${left} left\n`);
  }

  note(message: string): void {
    this.#stream.write(`${oneLine(message)}\n`);
  }

  phase(what: string): void {
    this.note(`${what} ...`);
  }

  stop(): void {}
}

function speedOf(state: ProgressState, started: number): { rate: string; left: string } {
  const seconds = (performance.now() - started) / 1000;
  const tokensPerSecond = state.tokensDone / seconds;
  const left = (state.tokensTotal - state.tokensDone) / tokensPerSecond;
  return {
    rate: (state.rowsDone / seconds).toFixed(1),
    left: Number.isFinite(left) ? durationText(left) : '?',
  };
}

/** 75 -> "1m 15s" */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h}h ${m}m`;
  return m > 0 ? `${m}m ${s}s` : `${s}s`;
}
