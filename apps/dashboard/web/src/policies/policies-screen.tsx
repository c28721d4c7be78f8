import { useQuery } from '@tanstack/preact-query';
import type { Policy } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { policiesAsk } from '../api/policies.js';
import { Screen } from '../layout/screen.js';
import { useMay } from '../session/me.js';
import { Empty } from '../ui/empty.js';
import { WhenAnswered } from '../ui/when-answered.js';
import { NewPolicyDialog } from './new-policy-dialog.js';
import { PolicyCard } from './policy-card.js';

/** Named thresholds. */
export function PoliciesScreen(): JSX.Element {
  const mayChange = useMay('administer');
  const [archived, setArchived] = useState(false);
  const [creating, setCreating] = useState(false);
  const policies = useQuery({ ...policiesAsk(archived), placeholderData: (before) => before });
  return (
    <Screen
      title="Policies"
      about="A policy is a threshold with a name, applied when scores are read: moving it changes counts at once and scores nothing again."
      actions={
        mayChange && (
          <button type="button" class="button primary" onClick={() => setCreating(true)}>
            New policy
          </button>
        )
      }
    >
      <WhenAnswered of={policies} what="the policies">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="There is no policy">
              <p>Make one to give a threshold a name that people and programs can use.</p>
            </Empty>
          ) : (
            <ul class="stack">
              {byThreshold(data).map((policy) => (
                <li key={policy.name}>
                  <PolicyCard policy={policy} mayChange={mayChange} />
                </li>
              ))}
            </ul>
          )
        }
      </WhenAnswered>
      <label class="check small soft">
        <input
          type="checkbox"
          checked={archived}
          onChange={({ currentTarget }) => setArchived(currentTarget.checked)}
        />
        With archived ones
      </label>
      {creating && <NewPolicyDialog onClose={() => setCreating(false)} />}
    </Screen>
  );
}

function byThreshold(policies: readonly Policy[]): Policy[] {
  return policies.toSorted((one, other) => one.threshold - other.threshold);
}
