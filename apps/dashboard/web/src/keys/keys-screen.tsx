import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/preact-query';
import type { ApiKey } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { keysAsk, revokeKey } from '../api/access.js';
import { rowsOf } from '../api/request.js';
import { Screen } from '../layout/screen.js';
import { Confirm } from '../ui/dialog.js';
import { Moment } from '../ui/figure.js';
import { MoreButton } from '../ui/more-button.js';
import { Table } from '../ui/table.js';
import { useTeller } from '../ui/toasts.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { NewKeyDialog } from './new-key-dialog.js';

/** API keys and their roles. */
export function KeysScreen(): JSX.Element {
  const keys = useInfiniteQuery(keysAsk());
  const [creating, setCreating] = useState(false);
  return (
    <Screen
      title="Keys"
      about="A key is shown once, when it is created. The server stores only its hash."
      actions={
        <button type="button" class="button primary" onClick={() => setCreating(true)}>
          New key
        </button>
      }
    >
      <WhenAnswered of={keys} what="the keys">
        {(pages) => {
          const rows = rowsOf(pages);
          return rows.length === 0 ? (
            <Empty title="No keys yet">
              <p>
                Until the first key is created, anyone on this machine is an administrator, and the server
                listens on this machine only. Store the first key safely: it must be an admin key.
              </p>
            </Empty>
          ) : (
            <KeysTable keys={rows} />
          );
        }}
      </WhenAnswered>
      <MoreButton of={keys} />
      {creating && <NewKeyDialog onClose={() => setCreating(false)} />}
    </Screen>
  );
}

function KeysTable({ keys }: { keys: readonly ApiKey[] }): JSX.Element {
  const client = useQueryClient();
  const { say, complain } = useTeller();
  const revoking = useMutation({
    mutationFn: ({ id }: ApiKey) => revokeKey(id),
    onSuccess: async (_, { name }) => {
      await client.invalidateQueries({ queryKey: ['keys'] });
      say(`The key ${name} is revoked.`);
    },
    onError: complain,
  });
  return (
    <Table
      label="Keys"
      columns={[
        'Name',
        'Begins with',
        'Role',
        'Created',
        'Last used',
        'Expires',
        { name: 'Actions', hidden: true },
      ]}
    >
      {keys.map((key) => (
        <tr key={key.id}>
          <th scope="row" class="fill wrap" dir="auto">
            {key.name}
          </th>
          <td class="mono nowrap">
            {key.prefix}
            {'\u2026'}
          </td>
          <td>{key.role}</td>
          <td class="soft" title={`by ${key.createdBy}`}>
            <Moment at={key.createdAt} />
          </td>
          <td class="soft">{key.lastUsedAt === null ? 'never' : <Moment at={key.lastUsedAt} />}</td>
          <td class="soft">
            <KeyEnd apiKey={key} />
          </td>
          <td>
            {key.revokedAt === null && (
              <Confirm
                small
                label="Revoke"
                title={`Revoke ${key.name}?`}
                does="Revoke it"
                onConfirm={() => revoking.mutate(key)}
              >
                Requests with this key fail from now on. This cannot be undone.
              </Confirm>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function KeyEnd({ apiKey }: { apiKey: ApiKey }): JSX.Element {
  if (apiKey.revokedAt !== null) return <span class="badge">revoked</span>;
  if (apiKey.expiresAt === null) return <>never</>;
  return new Date(apiKey.expiresAt) < new Date() ? (
    <span class="badge">expired</span>
  ) : (
    <Moment at={apiKey.expiresAt} />
  );
}
