import { setTimeout as sleep } from 'node:timers/promises';
import type { TocsinProcess } from '../setup/tocsin.js';
import type { Corpus } from './corpora.js';
import { lastWords } from './kept-worker.js';
import type { Stage } from './stage.js';

/** Before a submit that failed is tried again. */
const PAUSE_MS = 500;
/** Exit codes of a corpus that is submitted: whole, or but for rows that cannot be read. */
const SUBMITTED = [0, 2];

/** Submits corpora one after another, each as often as it takes until it is in the store. */
export class Producer {
  readonly #stage: Stage;
  /** The run that each corpus has come to, in the order of the corpora. */
  readonly runs: number[] = [];
  /** What submits said last that have failed. */
  readonly lastWords: string[] = [];
  #process: TocsinProcess | undefined;
  #over = false;
  #done = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** @param pauseMs between the begin of a submit and the begin of the next */
  async submitAll(corpora: readonly Corpus[], pauseMs: number): Promise<void> {
    for (const corpus of corpora) {
      const next = sleep(pauseMs);
      const run = await this.#submit(corpus);
      if (run === undefined) return;
      this.runs.push(run);
      await next;
    }
  }

  /** Submits a corpus again and again for as long as it is wanted. All of it is known by then: no row is scored for it. */
  async repeat(corpus: Corpus, wanted: () => boolean): Promise<void> {
    while (wanted() && !this.#over) await this.#submit(corpus);
    this.#done = true;
  }

  /** Whether no submit will run any more. */
  get done(): boolean {
    return this.#done || this.#over;
  }

  /** The submit that runs, if one does. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  /** Kills it for good. */
  end(): void {
    this.#over = true;
    this.kill();
  }

  /** @returns the run; undefined when it is over before there is one */
  async #submit({ file }: Corpus): Promise<number | undefined> {
    while (!this.#over) {
      this.#process = this.#stage.start(['submit', file, ...this.#stage.guard, '--json']);
      const { exitCode, signal: killed, stdout, stderr } = await this.#process.ended;
      this.#process = undefined;
      if (exitCode !== null && SUBMITTED.includes(exitCode))
        return (JSON.parse(String(stdout)) as { run: number }).run;
      if (killed === null) {
        this.lastWords.push(lastWords(stderr));
        await sleep(PAUSE_MS);
      }
    }
    return undefined;
  }
}
