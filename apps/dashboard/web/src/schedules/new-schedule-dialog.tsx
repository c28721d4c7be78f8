import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import type { Retention } from '../../../src/contract/index.js';
import { createSchedule } from '../api/schedules.js';
import { useMe } from '../session/me.js';
import { Dialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { Problem } from '../ui/problem.js';

/** Makes a schedule of a corpus that the server can reach. */
export function NewScheduleDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const client = useQueryClient();
  const { guards } = useMe();
  const creating = useMutation({
    mutationFn: createSchedule,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['schedules'] });
      onClose();
    },
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
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
      ...(given('webhookUrl') === '' ? {} : { webhookUrl: given('webhookUrl') }),
    });
  };
  return (
    <Dialog title="New schedule" onClose={onClose}>
      <form class="stack" onSubmit={submit}>
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
        <Field label="Corpus" help="Files, directories or patterns on the server, one a line.">
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
          <Field label="Guard">
            {(control) => (
              <select {...control} name="guard">
                {guards.map((guard) => (
                  <option key={guard} value={guard}>
                    {guard}
                  </option>
                ))}
              </select>
            )}
          </Field>
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
        <Field label="Webhook" help="Told what came of each run, in numbers. May stay empty.">
          {(control) => <input {...control} name="webhookUrl" type="url" autocomplete="off" />}
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
