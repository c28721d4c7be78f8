export { cancelCommand } from './cancel.js';
export { exportCommand } from './export.js';
export { runsCommand } from './list.js';
export { purgeCommand } from './purge.js';
export { retryCommand } from './retry.js';
export { runCommand } from './show.js';
