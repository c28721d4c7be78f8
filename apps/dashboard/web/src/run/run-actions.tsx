import { useMutation, useQueryClient } from '@tanstack/preact-query';
import { isOpen, type Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useLocation } from 'preact-iso';
import { cancelRun, deleteRun, retryRun } from '../api/runs.js';
import { counted } from '../format.js';
import { useMay } from '../session/me.js';
import { Confirm } from '../ui/dialog.js';
import { useTeller } from '../ui/toasts.js';

/** Actions of a run. */
export function RunActions({ run }: { run: Run }): JSX.Element {
  const client = useQueryClient();
  const { route } = useLocation();
  const { say, complain } = useTeller();
  const mayChange = useMay('submit');
  const mayReview = useMay('review');
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ['run', run.id] });
    void client.invalidateQueries({ queryKey: ['runs'] });
  };
  const cancelling = useMutation({
    mutationFn: () => cancelRun(run.id),
    onSuccess: refresh,
    onError: complain,
  });
  const retrying = useMutation({
    mutationFn: () => retryRun(run.id),
    onSuccess: ({ parcels, lost }) => {
      refresh();
      say(
        lost === 0
          ? `Retrying ${counted(parcels, 'parcel')}.`
          : `Retrying ${counted(parcels, 'parcel')}. ${counted(lost, 'row')} can only be scored from the corpus: submit it again.`,
      );
    },
    onError: complain,
  });
  const deleting = useMutation({
    mutationFn: () => deleteRun(run.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['runs'] });
      say(`Deleted run ${run.id}.`);
      route('/');
    },
    onError: complain,
  });
  const unresolved = run.outcome.failed + run.outcome.left;
  return (
    <>
      {mayReview && !isOpen(run.state) && run.textsKept > 0 && (
        <a class="button primary" href={`/review/${run.id}`}>
          Review
        </a>
      )}
      {mayChange && isOpen(run.state) && (
        <Confirm
          label="Cancel"
          title="Cancel this run?"
          does="Cancel the run"
          onConfirm={() => cancelling.mutate()}
        >
          Existing scores stay. Waiting rows are not scored; you can resume them later with Retry.
        </Confirm>
      )}
      {mayChange && !isOpen(run.state) && unresolved > 0 && (
        <button type="button" class="button" disabled={retrying.isPending} onClick={() => retrying.mutate()}>
          Score the {counted(unresolved, 'row')} left
        </button>
      )}
      {mayChange && !isOpen(run.state) && (
        <Confirm
          label="Delete"
          title={`Delete run ${run.id}?`}
          does="Delete the run"
          onConfirm={() => deleting.mutate()}
        >
          This deletes its rows, texts and rejects permanently. Scores shared with other runs stay.
        </Confirm>
      )}
    </>
  );
}
