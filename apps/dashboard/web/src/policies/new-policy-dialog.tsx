import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { createPolicy } from '../api/policies.js';
import { Dialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { Problem } from '../ui/problem.js';

/** Gives a threshold a name. */
export function NewPolicyDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const client = useQueryClient();
  const creating = useMutation({
    mutationFn: createPolicy,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['policies'] });
      onClose();
    },
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    creating.mutate({
      name: String(form.get('name')).trim(),
      threshold: Number(form.get('threshold')),
      meaning: String(form.get('meaning')).trim(),
    });
  };
  return (
    <Dialog title="New policy" onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <div class="pair">
          <Field label="Name" help="Letters, digits, dots, dashes and underscores.">
            {(control) => (
              <input
                {...control}
                name="name"
                required
                maxLength={64}
                pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
                autocomplete="off"
              />
            )}
          </Field>
          <Field label="Threshold" help="Harmful from this score on.">
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
        <Field label="What it is for">
          {(control) => <input {...control} name="meaning" maxLength={1000} />}
        </Field>
        {creating.error && <Problem error={creating.error} title="It was not made" />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={creating.isPending}>
            Make it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
