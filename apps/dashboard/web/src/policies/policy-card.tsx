import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { Policy } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { changePolicy } from '../api/policies.js';
import { threshold as thresholdText } from '../format/number.js';
import { Confirm } from '../ui/confirm.js';
import { useTeller } from '../ui/toasts.js';
import { MoveThreshold } from './move-threshold.js';
import { PolicyHistory } from './policy-history.js';

/** A policy, and what can be done with it. */
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
            {policy.meaning === '' ? 'Without a description' : policy.meaning}
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
              Requests that name it are refused from now on. Its history stays, and you can use it again
              later.
            </Confirm>
          )}
        </div>
      </div>
      {open === 'move' && <MoveThreshold policy={policy} onMoved={() => setOpen(undefined)} />}
      {open === 'history' && <PolicyHistory name={policy.name} />}
    </section>
  );
}
