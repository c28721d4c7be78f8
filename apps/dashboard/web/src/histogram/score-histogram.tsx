import type { Histogram } from '@tocsin/contract';
import { max } from 'd3-array';
import { scaleLinear, scaleSqrt } from 'd3-scale';
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { count, threshold as thresholdText } from '../format.js';
import { useWidth } from '../ui/hooks.js';
import { thresholdAfter, within } from './thresholds.js';

export type CountScale = 'linear' | 'sqrt';

interface ScoreHistogramProps {
  histogram: Histogram;
  scale: CountScale;
  threshold: number;
  onThreshold: (threshold: number) => void;
  /** Text of the slider's value, e.g. "312 of 4,000 rows flagged". */
  meaning: string;
  /** Named thresholds, as marks above the bars. */
  marks: readonly { name: string; threshold: number }[];
}

const HEIGHT = 200;
const MARGIN = { top: 26, right: 14, bottom: 24, left: 44 };
const STEP_OF_DRAG = 1000;
const NARROW = 480;

/** The score histogram with the threshold: drag it, click, or use the arrow keys. */
export function ScoreHistogram(props: ScoreHistogramProps): JSX.Element {
  const { histogram, scale, threshold, onThreshold, meaning, marks } = props;
  const [frame, width] = useWidth<HTMLDivElement>();
  const flagged = useId();
  const right = Math.max(MARGIN.left + 1, width - MARGIN.right);
  const bottom = HEIGHT - MARGIN.bottom;
  const x = scaleLinear([0, 1], [MARGIN.left, right]);
  const counts = scale === 'sqrt' ? scaleSqrt() : scaleLinear();
  const most = max(histogram.counts) ?? 0;
  const y = counts.domain([0, Math.max(1, most)]).range([bottom, MARGIN.top]);
  const bars = barsOf(histogram, x, y, bottom);
  const handle = x(threshold);

  const take = (event: JSX.TargetedPointerEvent<SVGSVGElement>): void => {
    const { left } = event.currentTarget.getBoundingClientRect();
    onThreshold(within(Math.round(x.invert(event.clientX - left) * STEP_OF_DRAG) / STEP_OF_DRAG));
  };
  const press = (event: JSX.TargetedPointerEvent<SVGSVGElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.querySelector<SVGGElement>('.threshold')?.focus({ preventScroll: true });
    take(event);
  };
  const key = (event: KeyboardEvent): void => {
    const to = thresholdAfter(event.key, event.shiftKey, threshold);
    if (to === undefined) return;
    event.preventDefault();
    onThreshold(to);
  };

  return (
    <div class="histogram" ref={frame}>
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <clipPath id={flagged}>
          <rect x={handle} y="0" width={Math.max(0, right - handle)} height={HEIGHT} />
        </clipPath>
        <g class="grid">
          {y.ticks(3).map((tick) => (
            <g key={tick}>
              <line x1={MARGIN.left} x2={right} y1={y(tick)} y2={y(tick)} />
              <text x={MARGIN.left - 8} y={y(tick)} dy="0.32em" text-anchor="end">
                {short.format(tick)}
              </text>
            </g>
          ))}
          {x.ticks(width < NARROW ? 5 : 10).map((tick) => (
            <text key={tick} x={x(tick)} y={bottom + 16} text-anchor="middle">
              {thresholdText(tick)}
            </text>
          ))}
        </g>
        <path class="bars" d={bars} />
        <path class="bars flagged" d={bars} clip-path={`url(#${flagged})`} />
        <g class="marks">
          {marks.map((mark) => (
            <line key={mark.name} x1={x(mark.threshold)} x2={x(mark.threshold)} y1={bottom} y2={bottom + 5} />
          ))}
        </g>
      </svg>
      <svg
        width={width}
        height={HEIGHT}
        class="over"
        // The slider inside carries the accessible text.
        role="presentation"
        onPointerDown={press}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && take(event)}
      >
        <g
          class="threshold"
          role="slider"
          tabindex={0}
          aria-label="Threshold"
          aria-valuemin={0}
          aria-valuemax={1}
          aria-valuenow={threshold}
          aria-valuetext={`${thresholdText(threshold)}: ${meaning}`}
          onKeyDown={key}
        >
          <rect class="reach" x={handle - 14} y="0" width="28" height={bottom} />
          <line x1={handle} x2={handle} y1={MARGIN.top - 6} y2={bottom} />
          <Grip
            at={Math.min(right - 22, Math.max(MARGIN.left + 22, handle))}
            text={thresholdText(threshold)}
          />
        </g>
      </svg>
    </div>
  );
}

const short = new Intl.NumberFormat(undefined, { notation: 'compact' });

function Grip({ at, text }: { at: number; text: string }): JSX.Element {
  return (
    <>
      <rect class="grip" x={at - 24} y="1" width="48" height="19" rx="4" />
      <text class="grip-text" x={at} y="10.5" dy="0.34em" text-anchor="middle">
        {text}
      </text>
    </>
  );
}

/** All bars as one path. */
function barsOf(
  { edges, counts }: Histogram,
  x: (score: number) => number,
  y: (rows: number) => number,
  bottom: number,
): string {
  const gap = 1;
  return counts
    .map((rows, bin) => {
      if (rows === 0) return '';
      const left = x(edges[bin] ?? 0);
      const width = Math.max(1, x(edges[bin + 1] ?? 1) - left - gap);
      // Keep a single row among millions visible.
      const top = Math.min(y(rows), bottom - 1.5);
      return `M${left.toFixed(1)} ${bottom}V${top.toFixed(1)}h${width.toFixed(1)}V${bottom}Z`;
    })
    .join('');
}

/** The same data as a table, for screen readers. */
export function HistogramTable({ histogram }: { histogram: Histogram }): JSX.Element {
  const rows = histogram.counts
    .map((rows, bin) => ({ rows, from: histogram.edges[bin] ?? 0, to: histogram.edges[bin + 1] ?? 1 }))
    .filter(({ rows }) => rows > 0);
  return (
    // A table ignores a height smaller than its rows: hide it with a wrapping box.
    <div class="visually-hidden">
      <table>
        <caption>Rows by score</caption>
        <tbody>
          {rows.map(({ rows, from, to }) => (
            <tr key={from}>
              <th scope="row">{`${thresholdText(from)} to ${thresholdText(to)}`}</th>
              <td>{count(rows)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
