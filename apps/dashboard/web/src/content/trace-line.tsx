import type { Trace } from '@tocsin/contract';
import { scaleLinear } from 'd3-scale';
import type { JSX } from 'preact';
import { useWidth } from '../histogram/use-width.js';

const HEIGHT = 40;
const EDGE = 2;

/** How the score went from token to token, and the threshold. What it says, the text above it says too. */
export function TraceLine({
  tokens,
  threshold,
}: {
  tokens: Trace['tokens'];
  threshold: number;
}): JSX.Element {
  const [frame, width] = useWidth<HTMLDivElement>();
  const x = scaleLinear([0, Math.max(1, tokens.length - 1)], [EDGE, Math.max(EDGE, width - EDGE)]);
  const y = scaleLinear([0, 1], [HEIGHT - EDGE, EDGE]);
  const points = tokens.map(({ score }, at) => `${x(at).toFixed(1)} ${y(score).toFixed(1)}`);
  return (
    <div class="trace-line" ref={frame}>
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <line x1="0" x2={width} y1={y(threshold)} y2={y(threshold)} />
        {points.length > 0 && <path d={`M${points.join('L')}`} />}
      </svg>
    </div>
  );
}
