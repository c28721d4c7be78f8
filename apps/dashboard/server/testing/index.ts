/** For tests of the packages above: what a server needs to be tried without a command. */
export { scoredRun } from './scored-run.js';
