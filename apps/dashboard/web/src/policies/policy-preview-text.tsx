import { useQuery } from '@tanstack/preact-query';
import type { Policy, PolicyPreview } from '@tocsin/contract';
import type { JSX } from 'preact';
import { policyPreviewAsk } from '../api/policies.js';
import { ContentLine } from '../content/content-line.js';
import { VisibleText } from '../content/visible-text.js';
import { count, counted } from '../format/number.js';
import { ScoreMark } from '../run/score-mark.js';
import { useSettled } from '../ui/use-settled.js';
import { WhenAnswered } from '../ui/when-answered.js';

interface PolicyPreviewTextProps {
  policy: Policy;
  run: number;
  threshold: number;
}

const SETTLED_MS = 200;

/** What a policy would flag of a run with another threshold, with examples. */
export function PolicyPreviewText({ policy, run, threshold }: PolicyPreviewTextProps): JSX.Element {
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
