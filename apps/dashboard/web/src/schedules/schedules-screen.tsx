import { useQuery } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
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
  return (
    <Screen
      title="Schedules"
      about="A schedule submits a corpus again and again. What was scored before costs nothing."
      actions={
        mayChange && (
          <button type="button" class="button primary" onClick={() => setCreating(true)}>
            New schedule
          </button>
        )
      }
    >
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
      {creating && <NewScheduleDialog onClose={() => setCreating(false)} />}
    </Screen>
  );
}
