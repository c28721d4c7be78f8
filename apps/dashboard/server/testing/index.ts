/** For tests of the packages above: what a server needs to be tried without a command. */
export { type PaperRow, type PaperRun, scoredRun } from './scored-run.js';
