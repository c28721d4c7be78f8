import { openGuard } from '@tocsin/engine';
import { memoryOf } from './report.js';

/** Compiles a guard in a separate process and prints the cost. Arguments: guard, precision, cache directory. */
const [ref = '', precision, cacheDir] = process.argv.slice(2);
const before = await memoryOf('self');
const started = performance.now();
await openGuard(ref, { precision, cacheDir, device: 'cpu' });
const ms = performance.now() - started;
console.log(JSON.stringify({ ms, before: before.peak, peak: (await memoryOf('self')).peak }));
