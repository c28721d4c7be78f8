/** A test server, for tests of the packages above. */
export { scoredRun } from './scored-run.js';
