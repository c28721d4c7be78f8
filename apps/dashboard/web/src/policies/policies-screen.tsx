import { useQuery } from '@tanstack/preact-query';
import type { Policy } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createPolicy, policiesAsk } from '../api/policies.js';
import { Screen } from '../layout/screen.js';
import { useMay } from '../session/me.js';
import { CreateDialog } from '../ui/dialog.js';
import { Field, NameField } from '../ui/field.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
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
      about="A policy is a threshold with a name, applied when scores are read: changing it updates counts at once, without rescoring."
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
            <Empty title="No policies">
              <p>Create one to give a threshold a name that people and programs can use.</p>
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

/** Creates a policy. */
function NewPolicyDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <CreateDialog
      what="policy"
      queryKey={['policies']}
      create={createPolicy}
      valuesOf={(form) => ({
        name: String(form.get('name')).trim(),
        threshold: Number(form.get('threshold')),
        meaning: String(form.get('meaning')).trim(),
      })}
      onClose={onClose}
    >
      <div class="pair">
        <NameField />
        <Field label="Threshold" help="Rows are harmful at or above this score.">
          {(control) => (
            <input
              {...control}
              name="threshold"
              type="number"
              min="0"
              max="1"
              step="0.001"
              required
              defaultValue="0.5"
            />
          )}
        </Field>
      </div>
      <Field label="Purpose">{(control) => <input {...control} name="meaning" maxLength={1000} />}</Field>
    </CreateDialog>
  );
}
