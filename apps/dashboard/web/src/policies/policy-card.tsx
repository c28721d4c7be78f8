import { useMutation, useQuery, useQueryClient } from '@tanstack/preact-query';
import type { Policy, PolicyChange } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { changePolicy, policyChangesAsk } from '../api/policies.js';
import { threshold as thresholdText } from '../format.js';
import { Confirm } from '../ui/dialog.js';
import { Moment } from '../ui/figure.js';
import { useTeller } from '../ui/toasts.js';
import { WhenAnswered } from '../ui/when-answered.js';
import { MoveThreshold } from './move-threshold.js';

/** A policy and its actions. */
export function PolicyCard({ policy, mayChange }: { policy: Policy; mayChange: boolean }): JSX.Element {
  const client = useQueryClient();
  const { complain } = useTeller();
  const [open, setOpen] = useState<'move' | 'history'>();
  const archiving = useMutation({
    mutationFn: (archived: boolean) => changePolicy(policy.name, { archived }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['policies'] }),
    onError: complain,
  });
  const toggle = (what: 'move' | 'history'): void => setOpen(open === what ? undefined : what);
  const isArchived = policy.archivedAt !== null;
  return (
    <section class="panel" aria-label={`Policy ${policy.name}`}>
      <div class="policy-head">
        <div class="policy-threshold">{thresholdText(policy.threshold)}</div>
        <div class="grow">
          <h2>
            {policy.name} {isArchived && <span class="badge">archived</span>}
          </h2>
          <p class="soft wrap" dir="auto">
            {policy.meaning === '' ? 'No description' : policy.meaning}
          </p>
        </div>
        <div class="row">
          {mayChange && !isArchived && (
            <button
              type="button"
              class="button small"
              aria-expanded={open === 'move'}
              onClick={() => toggle('move')}
            >
              Move the threshold
            </button>
          )}
          <button
            type="button"
            class="button plain small"
            aria-expanded={open === 'history'}
            onClick={() => toggle('history')}
          >
            History
          </button>
          {mayChange && isArchived && (
            <button type="button" class="button plain small" onClick={() => archiving.mutate(false)}>
              Use again
            </button>
          )}
          {mayChange && !isArchived && (
            <Confirm
              small
              label="Archive"
              title={`Archive ${policy.name}?`}
              does="Archive it"
              onConfirm={() => archiving.mutate(true)}
            >
              Requests that name it fail from now on. Its history stays, and you can use it again later.
            </Confirm>
          )}
        </div>
      </div>
      {open === 'move' && <MoveThreshold policy={policy} onMoved={() => setOpen(undefined)} />}
      {open === 'history' && <PolicyHistory name={policy.name} />}
    </section>
  );
}

/** The changes of a policy: who, when, from which threshold to which, and why. */
function PolicyHistory({ name }: { name: string }): JSX.Element {
  const changes = useQuery(policyChangesAsk(name));
  return (
    <WhenAnswered of={changes} what="the history">
      {({ data }) => (
        <ol class="history">
          {data.map((change) => (
            <li key={change.id}>
              <span class="soft">
                <Moment at={change.at} />
              </span>
              <span>
                {wordsOf(change)} <span class="soft">by {change.who}</span>
                {change.note !== null && change.note !== '' && (
                  <span class="soft wrap" dir="auto">
                    {` \u2014 ${change.note}`}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </WhenAnswered>
  );
}

function wordsOf({ what, from, to }: PolicyChange): string {
  if (from !== null && to !== null) return `${thresholdText(from)} \u2192 ${thresholdText(to)}`;
  if (to !== null) return `${what} at ${thresholdText(to)}`;
  return what;
}
