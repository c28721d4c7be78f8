import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { Retention } from '@tocsin/contract';
import type { JSX } from 'preact';
import { createSchedule } from '../api/schedules.js';
import { GuardField, NameField } from '../ui/common-fields.js';
import { Field } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';

interface NewScheduleDialogProps {
  /** Directories on the server that hold what may be scheduled. */
  roots: readonly string[];
  onClose: () => void;
}

/** Creates a schedule of a corpus that the server can read. */
export function NewScheduleDialog({ roots, onClose }: NewScheduleDialogProps): JSX.Element {
  const client = useQueryClient();
  const creating = useMutation({
    mutationFn: createSchedule,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['schedules'] });
      onClose();
    },
  });
  const submit = (form: FormData): void => {
    const given = (name: string): string => String(form.get(name) ?? '').trim();
    creating.mutate({
      name: given('name'),
      cron: given('cron'),
      timeZone: given('timeZone'),
      guard: given('guard'),
      retain: given('retain') as Retention,
      corpus: given('corpus')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
      ...(given('webhookUrl') !== '' && { webhookUrl: given('webhookUrl') }),
    });
  };
  return (
    <FormDialog
      title="New schedule"
      onClose={onClose}
      onSubmit={submit}
      action="Create"
      disabled={creating.isPending}
      error={creating.error}
      failure="The schedule was not created"
    >
      <NameField />
      <Field
        label="Corpus"
        help={`Files, directories or patterns in ${roots.join(' or ')} on the server, one per line.`}
      >
        {(control) => <textarea {...control} name="corpus" rows={2} required class="mono" />}
      </Field>
      <div class="pair">
        <Field label="When" help="Minute, hour, day, month, weekday.">
          {(control) => <input {...control} name="cron" required defaultValue="0 6 * * *" class="mono" />}
        </Field>
        <Field label="Time zone">
          {(control) => (
            <input
              {...control}
              name="timeZone"
              required
              defaultValue={Intl.DateTimeFormat().resolvedOptions().timeZone}
            />
          )}
        </Field>
        <GuardField />
        <Field label="Keep texts">
          {(control) => (
            <select {...control} name="retain">
              <option value="all">All</option>
              <option value="flagged" selected>
                Of flagged rows
              </option>
              <option value="none">None</option>
            </select>
          )}
        </Field>
      </div>
      <Field label="Webhook" help="Receives a summary of each run, in numbers. Optional.">
        {(control) => <input {...control} name="webhookUrl" type="url" autocomplete="off" />}
      </Field>
    </FormDialog>
  );
}
