const STEP = 0.01;
const FINE_STEP = 0.001;
const LARGE_STEP = 0.1;
const DIGITS = 1e4;

/** Where a key takes a threshold, as in any slider; with Shift in small steps. @returns undefined: the key says nothing */
export function thresholdAfter(key: string, shift: boolean, threshold: number): number | undefined {
  const step = shift ? FINE_STEP : STEP;
  const to = {
    ArrowRight: threshold + step,
    ArrowUp: threshold + step,
    ArrowLeft: threshold - step,
    ArrowDown: threshold - step,
    PageUp: threshold + LARGE_STEP,
    PageDown: threshold - LARGE_STEP,
    Home: 0,
    End: 1,
  }[key];
  return to === undefined ? undefined : within(to);
}

/** In [0, 1], without the digits that floating point adds. */
export function within(threshold: number): number {
  return Math.min(1, Math.max(0, Math.round(threshold * DIGITS) / DIGITS));
}
