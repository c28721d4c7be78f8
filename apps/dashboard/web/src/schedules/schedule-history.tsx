import { useQuery } from '@tanstack/preact-query';
import type { Schedule } from '@tocsin/contract';
import type { JSX } from 'preact';
import { deliveriesAsk, firingsAsk } from '../api/schedules.js';
import { Moment } from '../ui/moment.js';
import { Table } from '../ui/table.js';
import { WhenAnswered } from '../ui/when-answered.js';

/** When a schedule was due of late, what came of it, and who was told. */
export function ScheduleHistory({ schedule }: { schedule: Schedule }): JSX.Element {
  const firings = useQuery(firingsAsk(schedule.name));
  return (
    <>
      <WhenAnswered of={firings} what="the history">
        {({ data }) =>
          data.length === 0 ? (
            <p class="soft">It was not due yet.</p>
          ) : (
            <Table label={`When ${schedule.name} was due`} columns={['Due', 'By', 'State', 'Run', 'Reason']}>
              {data.map(({ id, dueAt, cause, state, run, reason }) => (
                <tr key={id}>
                  <td>
                    <Moment at={dueAt} />
                  </td>
                  <td>{cause}</td>
                  <td>{state}</td>
                  <td>{run === null ? '' : <a href={`/runs/${run}`}>{run}</a>}</td>
                  <td class="fill wrap">{reason ?? ''}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </WhenAnswered>
      {schedule.webhookUrl !== null && <Deliveries name={schedule.name} />}
    </>
  );
}

function Deliveries({ name }: { name: string }): JSX.Element {
  const deliveries = useQuery(deliveriesAsk(name));
  return (
    <WhenAnswered of={deliveries} what="the deliveries">
      {({ data }) =>
        data.length === 0 ? (
          <p class="soft">Its webhook was told nothing yet.</p>
        ) : (
          <Table
            label={`What the webhook of ${name} was told`}
            columns={['Delivery', 'State', { name: 'Attempts', class: 'number' }, 'Last answer', 'Of']}
          >
            {data.map(({ id, state, attempts, lastStatus, lastError, createdAt }) => (
              <tr key={id}>
                <td class="mono nowrap">{id}</td>
                <td>{state}</td>
                <td class="number">{attempts}</td>
                <td class="fill wrap">{lastError ?? lastStatus ?? ''}</td>
                <td>
                  <Moment at={createdAt} />
                </td>
              </tr>
            ))}
          </Table>
        )
      }
    </WhenAnswered>
  );
}
