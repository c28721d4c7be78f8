import { useQuery } from '@tanstack/preact-query';
import type { NewSchedule, Retention } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { createSchedule, schedulesAsk } from '../api/schedules.js';
import { Screen } from '../layout/screen.js';
import { useMay } from '../session/me.js';
import { CreateDialog } from '../ui/dialog.js';
import { Field, GuardField, NameField } from '../ui/field.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { ScheduleCard } from './schedule-card.js';

/** Corpora that are scored on a schedule. */
export function SchedulesScreen(): JSX.Element {
  const schedules = useQuery(schedulesAsk());
  const mayChange = useMay('administer');
  const [creating, setCreating] = useState(false);
  const roots = schedules.data?.corpusRoots;
  const reason = useId();
  return (
    <Screen
      title="Schedules"
      about="A schedule submits a corpus repeatedly. Rows that have a score are not scored again."
      actions={
        mayChange &&
        roots !== undefined && (
          <button
            type="button"
            class="button primary"
            disabled={roots.length === 0}
            aria-describedby={roots.length === 0 ? reason : undefined}
            onClick={() => setCreating(true)}
          >
            New schedule
          </button>
        )
      }
    >
      {mayChange && roots?.length === 0 && (
        <p class="notice" id={reason}>
          <span>
            Schedules cannot be created here: the server was started without <code>--corpus-root</code>. Start
            it with <code>--corpus-root DIR</code>, the directory that holds the corpora, or use{' '}
            <code>tocsin schedule add</code>.
          </span>
        </p>
      )}
      <WhenAnswered of={schedules} what="the schedules">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No schedules">
              <p>Score last night's messages each morning, for example:</p>
              <pre>{`tocsin schedule add nightly --cron '0 6 * * *' --guard starter messages/*.jsonl`}</pre>
            </Empty>
          ) : (
            <ul class="stack">
              {data.map((schedule) => (
                <li key={schedule.name}>
                  <ScheduleCard schedule={schedule} mayChange={mayChange} />
                </li>
              ))}
            </ul>
          )
        }
      </WhenAnswered>
      {creating && roots !== undefined && (
        <NewScheduleDialog roots={roots} onClose={() => setCreating(false)} />
      )}
    </Screen>
  );
}

interface NewScheduleDialogProps {
  /** Directories on the server whose files may be scheduled. */
  roots: readonly string[];
  onClose: () => void;
}

/** Creates a schedule of a corpus that the server can read. */
function NewScheduleDialog({ roots, onClose }: NewScheduleDialogProps): JSX.Element {
  return (
    <CreateDialog
      what="schedule"
      queryKey={['schedules']}
      create={createSchedule}
      valuesOf={newSchedule}
      onClose={onClose}
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
        <Field label="Store texts">
          {(control) => (
            <select {...control} name="retain">
              <option value="all">All</option>
              <option value="flagged" selected>
                Flagged rows
              </option>
              <option value="none">None</option>
            </select>
          )}
        </Field>
      </div>
      <Field label="Webhook" help="Optional. Receives a summary of each run: numbers, no texts.">
        {(control) => <input {...control} name="webhookUrl" type="url" autocomplete="off" />}
      </Field>
    </CreateDialog>
  );
}

function newSchedule(form: FormData): NewSchedule {
  const given = (name: string): string => String(form.get(name) ?? '').trim();
  return {
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
  };
}
