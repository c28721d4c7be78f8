import { useQuery } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { schedulesAsk } from '../api/schedules.js';
import { Screen } from '../layout/screen.js';
import { useMay } from '../session/me.js';
import { Empty } from '../ui/empty.js';
import { WhenAnswered } from '../ui/when-answered.js';
import { NewScheduleDialog } from './new-schedule-dialog.js';
import { ScheduleCard } from './schedule-card.js';

/** Corpora that are scored again and again. */
export function SchedulesScreen(): JSX.Element {
  const schedules = useQuery(schedulesAsk());
  const mayChange = useMay('administer');
  const [creating, setCreating] = useState(false);
  const roots = schedules.data?.corpusRoots;
  const reason = useId();
  return (
    <Screen
      title="Schedules"
      about="A schedule submits a corpus again and again. What was scored before costs nothing."
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
            <Empty title="Nothing is scheduled">
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
