import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { submitFile } from '../api/runs.js';
import { percent, size } from '../format.js';
import { useMe } from '../session/me.js';
import { FormDialog } from '../ui/dialog.js';
import { Field, GuardField } from '../ui/field.js';

/** Readable file types; the server checks the content, too. */
const ACCEPTED = '.jsonl,.ndjson,.json,.csv,.tsv,.parquet,.gz,.zst';

/** Submits a file with its options. */
export function SubmitDialog({
  file: dropped,
  onClose,
}: {
  file: File | undefined;
  onClose: () => void;
}): JSX.Element {
  const { limits } = useMe();
  const { route } = useLocation();
  const client = useQueryClient();
  const picker = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState(dropped);
  const [sent, setSent] = useState(0);
  const submitting = useMutation({
    mutationFn: (form: FormData) => submitFile(form, setSent),
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: ['runs'] });
      route(`/runs/${id}`);
    },
  });
  const tooLarge = file !== undefined && file.size > limits.uploadBytes;
  const submit = (given: FormData): void => {
    if (file === undefined) return;
    const form = new FormData();
    // Fields first: the server streams the file and needs the options by then.
    for (const name of ['name', 'guard', 'retain']) {
      const value = given.get(name);
      if (typeof value === 'string' && value.trim() !== '') form.set(name, value.trim());
    }
    form.set('file', file, file.name);
    submitting.mutate(form);
  };
  return (
    <FormDialog
      title="Submit a corpus"
      onClose={onClose}
      onSubmit={submit}
      action={submitting.isPending ? `Sending ${percent(sent)}` : 'Submit'}
      disabled={file === undefined || tooLarge || submitting.isPending}
      error={submitting.error}
      failure="The corpus was not submitted"
    >
      <div class="chosen-file">
        <span class="grow">
          {file === undefined
            ? 'JSONL, CSV, TSV or Parquet, also as .gz or .zst'
            : `${file.name}, ${size(file.size)}`}
        </span>
        <button type="button" class="button" onClick={() => picker.current?.click()}>
          {file === undefined ? 'Choose a file' : 'Choose another file'}
        </button>
        <input
          ref={picker}
          type="file"
          accept={ACCEPTED}
          class="visually-hidden"
          tabIndex={-1}
          aria-label="File"
          onChange={({ currentTarget }) => setFile(currentTarget.files?.[0] ?? file)}
        />
      </div>
      {tooLarge && (
        <p class="small">
          This server takes uploads up to {size(limits.uploadBytes)}. Submit it on the command line instead:{' '}
          <code>tocsin submit</code> reads files of any size.
        </p>
      )}
      <Field label="Name" help="Default: the file name.">
        {(control) => <input {...control} name="name" maxLength={200} autocomplete="off" />}
      </Field>
      <div class="pair">
        <GuardField />
        <Field label="Store texts" help="Only stored texts can be read, searched and reviewed.">
          {(control) => (
            <select {...control} name="retain">
              <option value="all">All</option>
              <option value="flagged">Flagged rows</option>
              <option value="none">None</option>
            </select>
          )}
        </Field>
      </div>
    </FormDialog>
  );
}
