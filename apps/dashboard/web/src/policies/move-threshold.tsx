import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/preact-query';
import type { Policy, PolicyPreview } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { changePolicy, policiesAsk, policyPreviewAsk } from '../api/policies.js';
import { rowsOf } from '../api/request.js';
import { histogramAsk, runsAsk } from '../api/runs.js';
import { ContentLine } from '../content/content-line.js';
import { VisibleText, visibleString } from '../content/visible-text.js';
import { count, counted, threshold as thresholdText } from '../format.js';
import { ScoreHistogram } from '../histogram/score-histogram.js';
import { estimateFlagged, within } from '../histogram/thresholds.js';
import { Field } from '../ui/field.js';
import { ScoreMark } from '../ui/figure.js';
import { useSettled } from '../ui/hooks.js';
import { useTeller } from '../ui/toasts.js';
import { WhenAnswered } from '../ui/when-answered.js';

interface MoveThresholdProps {
  policy: Policy;
  onMoved: () => void;
}

/** Changes a policy's threshold, with a preview on a run. */
export function MoveThreshold({ policy, onMoved }: MoveThresholdProps): JSX.Element {
  const client = useQueryClient();
  const { say, complain } = useTeller();
  const [threshold, setThreshold] = useState(policy.threshold);
  const [chosen, setChosen] = useState<number>();
  const [note, setNote] = useState('');
  const runs = useInfiniteQuery(runsAsk({}));
  const all = runs.data === undefined ? [] : rowsOf(runs.data);
  const run = chosen ?? (all.find(({ state }) => state === 'done') ?? all[0])?.id;
  const moving = useMutation({
    mutationFn: () =>
      changePolicy(policy.name, { threshold, ...(note.trim() !== '' && { note: note.trim() }) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['policies'] });
      say(`The threshold of ${policy.name} is now ${thresholdText(threshold)}.`);
      onMoved();
    },
    onError: complain,
  });
  const moved = threshold !== policy.threshold;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (moved) moving.mutate();
      }}
    >
      <div class="pair">
        <Field label="Threshold">
          {(control) => (
            <input
              {...control}
              type="number"
              min="0"
              max="1"
              step="0.001"
              value={threshold}
              onInput={({ currentTarget }) => {
                if (currentTarget.value !== '') setThreshold(within(currentTarget.valueAsNumber));
              }}
            />
          )}
        </Field>
        {run !== undefined && (
          <Field label="Preview on run">
            {(control) => (
              <select
                {...control}
                value={run}
                onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
              >
                {all.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {visibleString(`${id}: ${name}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
      {run === undefined ? (
        <p class="small soft">No run to preview yet. You can change the threshold anyway.</p>
      ) : (
        <>
          <RunScores run={run} threshold={threshold} onThreshold={setThreshold} />
          <PolicyPreviewText policy={policy} run={run} threshold={threshold} />
        </>
      )}
      <Field label="Why" help="Stored in the history, with your name.">
        {(control) => (
          <input
            {...control}
            maxLength={1000}
            value={note}
            onInput={({ currentTarget }) => setNote(currentTarget.value)}
          />
        )}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary" disabled={!moved || moving.isPending}>
          {moved
            ? `Move ${thresholdText(policy.threshold)} \u2192 ${thresholdText(threshold)}`
            : 'Move the threshold first'}
        </button>
      </div>
    </form>
  );
}

interface RunScoresProps {
  run: number;
  threshold: number;
  onThreshold: (threshold: number) => void;
}

function RunScores({ run, threshold, onThreshold }: RunScoresProps): JSX.Element {
  const histogram = useQuery({ ...histogramAsk(run), placeholderData: (before) => before });
  const marks = useQuery(policiesAsk()).data?.data ?? [];
  return (
    <WhenAnswered of={histogram} what="the scores" lines={5}>
      {(data) => (
        <ScoreHistogram
          histogram={data}
          scale="sqrt"
          threshold={threshold}
          onThreshold={onThreshold}
          meaning={`about ${count(estimateFlagged(data, threshold))} rows flagged`}
          marks={marks}
        />
      )}
    </WhenAnswered>
  );
}

interface PolicyPreviewTextProps {
  policy: Policy;
  run: number;
  threshold: number;
}

const SETTLED_MS = 200;

/** The effect of another threshold on a run, with examples. */
function PolicyPreviewText({ policy, run, threshold }: PolicyPreviewTextProps): JSX.Element {
  const settled = useSettled(threshold, SETTLED_MS);
  const preview = useQuery({
    ...policyPreviewAsk(policy.name, run, settled),
    enabled: settled !== policy.threshold,
    placeholderData: (before) => before,
  });
  if (threshold === policy.threshold) {
    return <p class="preview-words soft">Move the threshold to see what it would change.</p>;
  }
  return (
    <WhenAnswered of={preview} what="the preview" lines={3}>
      {(data) => <Preview preview={data} run={run} />}
    </WhenAnswered>
  );
}

function Preview({ preview, run }: { preview: PolicyPreview; run: number }): JSX.Element {
  return (
    <div class="stack" aria-live="polite">
      <p class="preview-words">{wordsOf(preview, run)}</p>
      {preview.examples.length > 0 && (
        <ul class="examples">
          {preview.examples.map(({ seq, key, score, excerpt }) => (
            <li key={seq}>
              <ScoreMark score={score} threshold={preview.to} />
              {excerpt === null ? (
                <span class="faint wrap">
                  <bdi>
                    <VisibleText text={key} />
                  </bdi>
                </span>
              ) : (
                <ContentLine content={excerpt} />
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function wordsOf({ before, after, added, removed }: PolicyPreview, run: number): string {
  const sum = `${count(before)} \u2192 ${count(after)}`;
  if (added > 0) return `This would flag ${counted(added, 'more row', 'more rows')} of run ${run}: ${sum}.`;
  if (removed > 0) return `This would no longer flag ${counted(removed, 'row')} of run ${run}: ${sum}.`;
  return `This would change nothing in run ${run}: ${counted(after, 'row')} flagged.`;
}
