import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/** Prints the slowest files, to keep them out of `npm test`. */
export default class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const times = modules
      .map((module) => {
        const { collectDuration, setupDuration, duration } = module.diagnostic();
        return {
          file: module.relativeModuleId,
          seconds: (collectDuration + setupDuration + duration) / 1000,
        };
      })
      .sort((a, b) => b.seconds - a.seconds);
    if (times.length <= SHOWN) return;
    console.log('\nSlowest files:');
    for (const { file, seconds } of times.slice(0, SHOWN))
      console.log(`${seconds.toFixed(1).padStart(8)} s  ${file}`);
  }
}
