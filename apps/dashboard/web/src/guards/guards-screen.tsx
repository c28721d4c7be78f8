import { useQuery } from '@tanstack/preact-query';
import type { Guard } from '@tocsin/contract';
import type { JSX } from 'preact';
import { guardsAsk } from '../api/access.js';
import { count, threshold } from '../format.js';
import { Screen } from '../layout/screen.js';
import { Moment } from '../ui/figure.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';

/** Guards that this server serves, and others that its store has scores from. */
export function GuardsScreen(): JSX.Element {
  const guards = useQuery(guardsAsk());
  return (
    <Screen
      title="Guards"
      about="A guard is an artifact, a backbone and a precision. Scores are cached by guard and content, across runs."
    >
      <WhenAnswered of={guards} what="the guards">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No guards">
              <p>Start the server with one:</p>
              <pre>tocsin dashboard --guard starter</pre>
            </Empty>
          ) : (
            <GuardsTable guards={data} />
          )
        }
      </WhenAnswered>
    </Screen>
  );
}

function GuardsTable({ guards }: { guards: readonly Guard[] }): JSX.Element {
  return (
    <Table
      label="Guards"
      columns={[
        'Guard',
        'Scores',
        'Precision',
        { name: 'Threshold', class: 'number' },
        { name: 'Tokens', class: 'number' },
        { name: 'Runs', class: 'number' },
        { name: 'Parcels waiting', class: 'number' },
        'First used',
      ]}
    >
      {guards.map((guard) => (
        <tr key={guard.fingerprint}>
          <th scope="row" class="fill wrap">
            {guard.ref} {guard.default && <span class="badge">default</span>}{' '}
            {!guard.served && (
              <span class="badge" title="Start the server with this guard to request scores from it">
                not served
              </span>
            )}
            <div class="small soft guard-details">
              {guard.backbone !== null && <span>{guard.backbone}</span>}
              <span class="faint mono" title={guard.fingerprint}>
                {guard.fingerprint.slice(0, 12)}
              </span>
            </div>
          </th>
          <td class="nowrap">
            {guard.task === null ? '' : { content: 'texts', trajectory: 'trajectories' }[guard.task]}
          </td>
          <td class="nowrap">{guard.precision ?? ''}</td>
          <td class="number">{guard.defaultThreshold === null ? '' : threshold(guard.defaultThreshold)}</td>
          <td class="number">{guard.maxLength === null ? '' : count(guard.maxLength)}</td>
          <td class="number">{count(guard.runs)}</td>
          <td class="number">{count(guard.waitingParcels)}</td>
          <td class="soft">{guard.createdAt === null ? 'not yet' : <Moment at={guard.createdAt} />}</td>
        </tr>
      ))}
    </Table>
  );
}
