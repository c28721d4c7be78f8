import { useInfiniteQuery } from '@tanstack/preact-query';
import type { RunState } from '@tocsin/contract';
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { rowsOf } from '../api/request.js';
import { runsAsk } from '../api/runs.js';
import { Screen } from '../layout/screen.js';
import { useMay } from '../session/me.js';
import { useSettled } from '../ui/hooks.js';
import { MoreButton } from '../ui/more-button.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { RunsTable } from './runs-table.js';
import { SubmitDialog } from './submit-dialog.js';

const STATES: readonly { value: RunState; label: string }[] = [
  { value: 'submitting', label: 'Reading rows' },
  { value: 'scoring', label: 'Scoring' },
  { value: 'done', label: 'Done' },
  { value: 'failed', label: 'Failed' },
  { value: 'cancelled', label: 'Cancelled' },
];
const TYPING_MS = 250;

/** All runs, newest first. */
export function RunsScreen(): JSX.Element {
  const maySubmit = useMay('submit');
  const [file, setFile] = useState<File | 'none'>();
  const [state, setState] = useState<RunState | ''>('');
  const [name, setName] = useState('');
  const settledName = useSettled(name.trim(), TYPING_MS);
  const filtered = state !== '' || settledName !== '';
  const runs = useInfiniteQuery({
    ...runsAsk({
      state: state === '' ? undefined : state,
      name: settledName === '' ? undefined : settledName,
    }),
    placeholderData: (before) => before,
    refetchInterval: 10_000,
  });
  const submit = maySubmit && (
    <button type="button" class="button primary" onClick={() => setFile('none')}>
      Submit a corpus
    </button>
  );
  return (
    <Screen title="Runs" actions={submit}>
      <DropZone disabled={!maySubmit} onFile={setFile}>
        <div class="row filters">
          <input
            type="search"
            aria-label="Filter by name"
            placeholder="Filter by name"
            value={name}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
          <select
            aria-label="State"
            value={state}
            onChange={({ currentTarget }) => setState(currentTarget.value as RunState | '')}
          >
            <option value="">Any state</option>
            {STATES.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </div>
        <WhenAnswered of={runs} what="the runs" lines={6}>
          {(pages) => {
            const rows = rowsOf(pages);
            if (rows.length > 0) return <RunsTable runs={rows} />;
            return filtered ? (
              <Empty title="No matching runs">
                <p>Remove the filter, or search for a part of a name.</p>
              </Empty>
            ) : (
              <NoRuns maySubmit={maySubmit} onChoose={() => setFile('none')} />
            );
          }}
        </WhenAnswered>
        <MoreButton of={runs} />
      </DropZone>
      {file !== undefined && (
        <SubmitDialog file={file === 'none' ? undefined : file} onClose={() => setFile(undefined)} />
      )}
    </Screen>
  );
}

function NoRuns({ maySubmit, onChoose }: { maySubmit: boolean; onChoose: () => void }): JSX.Element {
  return (
    <Empty title="Nothing has been scored yet">
      {maySubmit ? (
        <>
          <p>
            Drop a file here: JSONL, CSV, TSV or Parquet, also as .gz or .zst. Each row needs a text, or a
            prompt and a response, or messages.
          </p>
          <button type="button" class="button" onClick={onChoose}>
            Choose a file
          </button>
          <p>Or, on the command line:</p>
          <pre>tocsin submit messages.jsonl --guard starter</pre>
        </>
      ) : (
        <p>Your key may not submit runs. Runs submitted with other keys appear here.</p>
      )}
    </Empty>
  );
}

interface DropZoneProps {
  disabled: boolean;
  onFile: (file: File) => void;
  children: ComponentChildren;
}

/** Accepts a file dropped anywhere on its children. Buttons do the same for the keyboard. */
function DropZone({ disabled, onFile, children }: DropZoneProps): JSX.Element {
  const [over, setOver] = useState(false);
  const drag = (event: DragEvent): void => {
    if (disabled || event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent): void => {
    if (disabled) return;
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) onFile(file);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is for pointers; a button beside it opens the same dialog
    <div
      class={over ? 'stack drop-zone over' : 'stack drop-zone'}
      onDragEnter={drag}
      onDragOver={drag}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={drop}
    >
      {children}
    </div>
  );
}
