import type { Estimate, Policy, ReviewSummary } from '@tocsin/contract';
import { scaleLinear } from 'd3-scale';
import type { JSX } from 'preact';
import { percent, threshold as thresholdText } from '../format.js';
import { useWidth } from '../ui/hooks.js';

interface EstimateCurvesProps {
  thresholds: ReviewSummary['thresholds'];
  policies: readonly Policy[];
}

interface Point {
  threshold: number;
  estimate: NonNullable<Estimate>;
}

const HEIGHT = 240;
const MARGIN = { top: 12, right: 70, bottom: 24, left: 44 };

/** Precision and recall by threshold, with intervals as bands. The table below has the numbers. */
export function EstimateCurves({ thresholds, policies }: EstimateCurvesProps): JSX.Element {
  const [frame, width] = useWidth<HTMLDivElement>();
  const right = Math.max(MARGIN.left + 1, width - MARGIN.right);
  const bottom = HEIGHT - MARGIN.bottom;
  const x = scaleLinear([0, 1], [MARGIN.left, right]);
  const y = scaleLinear([0, 1], [bottom, MARGIN.top]);
  const known = (of: 'precision' | 'recall'): Point[] =>
    thresholds.flatMap(({ threshold, [of]: estimate }) =>
      estimate === null ? [] : [{ threshold, estimate }],
    );
  const curves = [
    { name: 'Precision', look: 'precision', points: known('precision') },
    { name: 'Recall', look: 'recall', points: known('recall') },
  ];
  const at = (threshold: number, value: number): string =>
    `${x(threshold).toFixed(1)} ${y(value).toFixed(1)}`;
  const ends = apart(
    curves.map(({ points }) => y(points.at(-1)?.estimate.value ?? 0)),
    14,
  );
  return (
    <div class="curves" ref={frame}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label="Precision and recall by threshold; the table below has the numbers"
      >
        <g class="grid">
          {y.ticks(4).map((tick) => (
            <g key={tick}>
              <line x1={MARGIN.left} x2={right} y1={y(tick)} y2={y(tick)} />
              <text x={MARGIN.left - 8} y={y(tick)} dy="0.32em" text-anchor="end">
                {percent(tick)}
              </text>
            </g>
          ))}
          {x.ticks(5).map((tick) => (
            <text key={tick} x={x(tick)} y={bottom + 16} text-anchor="middle">
              {thresholdText(tick)}
            </text>
          ))}
          {policies.map(({ name, threshold }) => (
            <line key={name} class="policy" x1={x(threshold)} x2={x(threshold)} y1={MARGIN.top} y2={bottom} />
          ))}
        </g>
        {curves.map(({ name, look, points }, which) =>
          points.length === 0 ? null : (
            <g key={name} class={`curve ${look}`}>
              <path
                class="band"
                d={`M${[
                  ...points.map(({ threshold, estimate }) => at(threshold, estimate.high)),
                  ...points.toReversed().map(({ threshold, estimate }) => at(threshold, estimate.low)),
                ].join('L')}Z`}
              />
              <path
                class="line"
                d={`M${points.map(({ threshold, estimate }) => at(threshold, estimate.value)).join('L')}`}
              />
              <text x={x(points.at(-1)?.threshold ?? 1) + 6} y={ends[which]} dy="0.32em">
                {name}
              </text>
            </g>
          ),
        )}
      </svg>
    </div>
  );
}

/** Two labels, moved apart where they would overlap. */
function apart([first = 0, second = 0]: number[], least: number): [number, number] {
  const lack = least - Math.abs(first - second);
  if (lack <= 0) return [first, second];
  return first <= second ? [first - lack / 2, second + lack / 2] : [first + lack / 2, second - lack / 2];
}
