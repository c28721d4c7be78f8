import { useMutation, useQuery, useQueryClient } from '@tanstack/preact-query';
import type { Schedule } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import {
  deleteSchedule,
  deliveriesAsk,
  enableSchedule,
  firingsAsk,
  runScheduleNow,
  testWebhook,
} from '../api/schedules.js';
import { threshold } from '../format.js';
import { Confirm } from '../ui/dialog.js';
import { Moment } from '../ui/figure.js';
import { Table } from '../ui/table.js';
import { useTeller } from '../ui/toasts.js';
import { WhenAnswered } from '../ui/when-answered.js';

/** A schedule and its actions. */
export function ScheduleCard({
  schedule,
  mayChange,
}: {
  schedule: Schedule;
  mayChange: boolean;
}): JSX.Element {
  const client = useQueryClient();
  const { say, complain } = useTeller();
  const [open, setOpen] = useState(false);
  const { name, enabled } = schedule;
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ['schedules'] });
  const told = (words: string) => (): void => {
    void refresh();
    say(words);
  };
  const enabling = useMutation({
    mutationFn: () => enableSchedule(name, !enabled),
    onSuccess: refresh,
    onError: complain,
  });
  const deleting = useMutation({
    mutationFn: () => deleteSchedule(name),
    onSuccess: told(`Deleted the schedule ${name}.`),
    onError: complain,
  });
  const running = useMutation({
    mutationFn: () => runScheduleNow(name),
    onSuccess: told(`${name} is due now. The scheduler submits it within seconds.`),
    onError: complain,
  });
  const testing = useMutation({
    mutationFn: () => testWebhook(name),
    onSuccess: ({ delivered, status, reason }) =>
      say(
        delivered
          ? `The webhook answered ${status ?? 'successfully'}.`
          : `The webhook test failed: ${reason ?? status}`,
      ),
    onError: complain,
  });
  return (
    <section class="panel" aria-label={`Schedule ${name}`}>
      <div class="policy-head">
        <div class="grow">
          <h2>
            {name} {!enabled && <span class="badge">paused</span>}
          </h2>
          <div class="facts">
            <span class="mono">{schedule.cron}</span>
            <span>{schedule.timeZone}</span>
            {enabled && (
              <span>
                next <Moment at={schedule.nextAt} />
              </span>
            )}
            <span>{schedule.guard}</span>
            {schedule.threshold !== null && <span>threshold {threshold(schedule.threshold)}</span>}
            <span>stored texts: {schedule.retain}</span>
          </div>
          <p class="mono wrap small">{schedule.corpus.join(', ')}</p>
          {schedule.webhookUrl !== null && (
            <p class="small soft wrap">
              Tells {schedule.webhookUrl}
              {schedule.webhookClosed !== null && ` \u2014 closed: ${schedule.webhookClosed}`}
            </p>
          )}
        </div>
        <div class="row">
          <button
            type="button"
            class="button plain small"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            History
          </button>
          {mayChange && (
            <>
              <button
                type="button"
                class="button small"
                disabled={running.isPending}
                onClick={() => running.mutate()}
              >
                Run now
              </button>
              <button
                type="button"
                class="button small"
                disabled={enabling.isPending}
                onClick={() => enabling.mutate()}
              >
                {enabled ? 'Pause' : 'Resume'}
              </button>
              {schedule.webhookUrl !== null && (
                <button
                  type="button"
                  class="button small"
                  disabled={testing.isPending}
                  onClick={() => testing.mutate()}
                >
                  Test webhook
                </button>
              )}
              <Confirm
                small
                label="Delete"
                title={`Delete ${name}?`}
                does="Delete it"
                onConfirm={() => deleting.mutate()}
              >
                The schedule and its history are deleted. Its runs stay.
              </Confirm>
            </>
          )}
        </div>
      </div>
      {open && <ScheduleHistory schedule={schedule} />}
    </section>
  );
}

/** Recent firings of a schedule, and their webhook deliveries. */
function ScheduleHistory({ schedule }: { schedule: Schedule }): JSX.Element {
  const firings = useQuery(firingsAsk(schedule.name));
  return (
    <>
      <WhenAnswered of={firings} what="the history">
        {({ data }) =>
          data.length === 0 ? (
            <p class="soft">No firings yet.</p>
          ) : (
            <Table label={`Firings of ${schedule.name}`} columns={['Due', 'By', 'State', 'Run', 'Reason']}>
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
          <p class="soft">No deliveries yet.</p>
        ) : (
          <Table
            label={`Webhook deliveries of ${name}`}
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
