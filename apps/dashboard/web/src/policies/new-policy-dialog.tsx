import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { createPolicy } from '../api/policies.js';
import { NameField } from '../ui/common-fields.js';
import { Field } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';

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
  const submit = (form: FormData): void => {
    creating.mutate({
      name: String(form.get('name')).trim(),
      threshold: Number(form.get('threshold')),
      meaning: String(form.get('meaning')).trim(),
    });
  };
  return (
    <FormDialog
      title="New policy"
      onClose={onClose}
      onSubmit={submit}
      action="Create"
      disabled={creating.isPending}
      error={creating.error}
      failure="The policy was not created"
    >
      <div class="pair">
        <NameField />
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
    </FormDialog>
  );
}
