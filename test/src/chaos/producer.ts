import { setTimeout as sleep } from 'node:timers/promises';
import type { TocsinProcess } from '../setup/tocsin.js';
import type { Corpus } from './corpora.js';
import { lastOutput } from './kept-worker.js';
import type { Stage } from './stage.js';

/** Pause before a failed submit is repeated. */
const PAUSE_MS = 500;
/** Exit codes of a submitted corpus: complete, or with unreadable rows. */
const SUBMITTED = [0, 2];

/** Submits corpora one after another, each until it succeeds. */
export class Producer {
  readonly #stage: Stage;
  /** The run of each corpus, in the order of the corpora. */
  readonly runs: number[] = [];
  /** Last output of failed submits. */
  readonly lastOutput: string[] = [];
  #process: TocsinProcess | undefined;
  #over = false;
  #done = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** @param pauseMs between the starts of two submits */
  async submitAll(corpora: readonly Corpus[], pauseMs: number): Promise<void> {
    for (const corpus of corpora) {
      const next = sleep(pauseMs);
      const run = await this.#submit(corpus);
      if (run === undefined) return;
      this.runs.push(run);
      await next;
    }
  }

  /** Submits a corpus repeatedly as long as needed. Its scores are cached by then, so no row is scored again. */
  async repeat(corpus: Corpus, wanted: () => boolean): Promise<void> {
    while (wanted() && !this.#over) await this.#submit(corpus);
    this.#done = true;
  }

  /** Whether no further submit will run. */
  get done(): boolean {
    return this.#done || this.#over;
  }

  /** The running submit, if any. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  /** Kills it without a restart. */
  end(): void {
    this.#over = true;
    this.kill();
  }

  /** @returns the run; undefined when it ends before creating one */
  async #submit({ file }: Corpus): Promise<number | undefined> {
    while (!this.#over) {
      this.#process = this.#stage.start(['submit', file, ...this.#stage.guard, '--json']);
      const { exitCode, signal: killed, stdout, stderr } = await this.#process.ended;
      this.#process = undefined;
      if (exitCode !== null && SUBMITTED.includes(exitCode))
        return (JSON.parse(String(stdout)) as { run: number }).run;
      if (killed === null) {
        this.lastOutput.push(lastOutput(stderr));
        await sleep(PAUSE_MS);
      }
    }
    return undefined;
  }
}
