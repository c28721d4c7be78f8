import { useQuery } from '@tanstack/preact-query';
import { type Histogram, isOpen, type Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { countsAsk, histogramAsk } from '../api/runs.js';
import { count, counted, percent, threshold as thresholdText } from '../format.js';
import { type CountScale, HistogramTable, ScoreHistogram } from '../histogram/score-histogram.js';
import { estimateFlagged, isEdge, within } from '../histogram/thresholds.js';
import { Moment } from '../ui/figure.js';
import { Segments } from '../ui/segments.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import type { ThresholdInUse } from './use-threshold.js';

interface ThresholdPanelProps {
  run: Run;
  threshold: ThresholdInUse;
}

/** The histogram, the threshold, and how many rows it flags. */
export function ThresholdPanel({ run, threshold }: ThresholdPanelProps): JSX.Element {
  const histogram = useQuery(histogramAsk(run.id));
  return (
    <section class="panel threshold-panel" aria-label="Scores and threshold">
      <WhenAnswered of={histogram} what="the scores" lines={7}>
        {(data) =>
          data.rows === 0 ? (
            <NoScores run={run} />
          ) : (
            <Scores run={run} threshold={threshold} histogram={data} />
          )
        }
      </WhenAnswered>
    </section>
  );
}

function NoScores({ run }: { run: Run }): JSX.Element {
  if (!isOpen(run.state)) {
    return (
      <Empty title="No scores">
        <p>
          {run.counters.rejected > 0
            ? 'The rejects below say what was wrong with each row.'
            : run.counters.rows > 0
              ? 'Every row failed or was not scored.'
              : run.state === 'done'
                ? 'The corpus had no rows.'
                : 'No rows were read.'}
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="No scores yet">
      <p>
        Scores appear here as soon as a worker stores them. Is a worker for this guard running?{' '}
        <code>tocsin work</code> starts one.
      </p>
    </Empty>
  );
}

function Scores({ run, threshold, histogram }: ThresholdPanelProps & { histogram: Histogram }): JSX.Element {
  const [scale, setScale] = useState<CountScale>('sqrt');
  const exact = useQuery(countsAsk(run.id, threshold.settled));
  const known = exact.data?.threshold === threshold.value ? exact.data : undefined;
  const flagged = known?.flagged ?? estimateFlagged(histogram, threshold.value);
  const scored = known?.scored ?? histogram.rows;
  const sure = known !== undefined || isEdge(histogram, threshold.value);
  const meaning = `${count(flagged)} of ${counted(scored, 'row')} flagged`;
  const { policies, policy } = threshold;
  return (
    <>
      <div class="threshold-head">
        <p class="figure">
          <output class="huge" aria-label="Flagged rows">
            {sure ? '' : '\u2248'}
            {count(flagged)}
          </output>
          <span class="soft">
            {`of ${counted(scored, 'row')} flagged, ${percent(scored === 0 ? 0 : flagged / scored)}`}
          </span>
        </p>
        <div class="row">
          <Segments
            label="Policy"
            options={policies.map(({ name, meaning, threshold }) => ({
              value: name,
              label: `${name} ${thresholdText(threshold)}`,
              title: meaning,
            }))}
            value={policy?.name}
            onChange={(name) => {
              const chosen = policies.find((one) => one.name === name);
              if (chosen !== undefined) threshold.set(chosen.threshold);
            }}
          />
          <label class="check small soft">
            Threshold
            <input
              class="number-input"
              type="number"
              min="0"
              max="1"
              step="0.01"
              value={threshold.value}
              onInput={({ currentTarget }) => {
                if (currentTarget.value !== '') threshold.set(within(currentTarget.valueAsNumber));
              }}
            />
          </label>
        </div>
      </div>
      <ScoreHistogram
        histogram={histogram}
        scale={scale}
        threshold={threshold.value}
        onThreshold={threshold.set}
        meaning={meaning}
        marks={policies}
      />
      <HistogramTable histogram={histogram} />
      <div class="row spread small faint">
        <span>
          Score: the probability of harm. Drag the threshold, or use the arrow keys.
          {!histogram.final && (
            <>
              {' As of '}
              <Moment at={histogram.asOf} />.
            </>
          )}
        </span>
        <Segments<CountScale>
          label="Scale of the counts"
          options={[
            { value: 'linear', label: 'Linear scale' },
            {
              value: 'sqrt',
              label: 'Square-root scale',
              title: 'Keeps small counts visible next to large ones',
            },
          ]}
          value={scale}
          onChange={setScale}
        />
      </div>
    </>
  );
}
