import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { MadeKey, NewKey, Role } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { createKey, signIn } from '../api/access.js';
import { useMe } from '../session/me.js';
import { Dialog, FormDialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';

const ROLES: readonly { role: Role; about: string }[] = [
  { role: 'submit', about: 'score, submit runs and see own runs' },
  { role: 'read', about: 'see all runs and texts' },
  { role: 'review', about: 'see all runs, and review rows' },
  { role: 'admin', about: 'everything' },
];

/** Creates a key, and shows it once. */
export function NewKeyDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const client = useQueryClient();
  const { keyless } = useMe();
  // The first key must be an admin key, or its creator would be locked out.
  const roles = keyless ? ROLES.filter(({ role }) => role === 'admin') : ROLES;
  const creating = useMutation({
    mutationFn: async (key: NewKey) => {
      const made = await createKey(key);
      // From the first key on, requests need one: sign this browser in with it.
      if (keyless) await signIn(made.key);
      return made;
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }),
  });
  const submit = (form: FormData): void => {
    const days = String(form.get('days'));
    creating.mutate({
      name: String(form.get('name')).trim(),
      role: form.get('role') as Role,
      ...(days !== '' && { expiresInDays: Number(days) }),
    });
  };
  const close = (): void => {
    onClose();
    if (keyless) void client.invalidateQueries({ queryKey: ['me'] });
  };
  if (creating.data !== undefined) return <ShowKey made={creating.data} keyless={keyless} onClose={close} />;
  return (
    <FormDialog
      title="New key"
      onClose={onClose}
      onSubmit={submit}
      action="Create key"
      disabled={creating.isPending}
      error={creating.error}
      failure="The key was not created"
    >
      <Field label="Name" help="Who or what uses the key.">
        {(control) => <input {...control} name="name" required maxLength={100} autocomplete="off" />}
      </Field>
      <div class="pair">
        <Field label="Role">
          {(control) => (
            <select {...control} name="role">
              {roles.map(({ role, about }) => (
                <option key={role} value={role}>
                  {`${role}: ${about}`}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Expires">
          {(control) => (
            <select {...control} name="days">
              <option value="7">in a week</option>
              <option value="30">in 30 days</option>
              <option value="90" selected>
                in 90 days
              </option>
              <option value="365">in a year</option>
              <option value="">never</option>
            </select>
          )}
        </Field>
      </div>
    </FormDialog>
  );
}

interface ShowKeyProps {
  made: MadeKey;
  keyless: boolean;
  onClose: () => void;
}

function ShowKey({ made, keyless, onClose }: ShowKeyProps): JSX.Element {
  return (
    <Dialog title={`The key ${made.name}`} onClose={onClose}>
      <p>Copy it now. It is not shown again.</p>
      <div class="row">
        <code class="shown-key grow">{made.key}</code>
        <CopyButton text={made.key} />
      </div>
      {keyless && (
        <p class="soft">
          This is the first key: from now on every request needs one. This browser is already signed in with
          it.
        </p>
      )}
      <div class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

const SAYS_SO_MS = 2000;

/** Copies a text to the clipboard, and confirms it. */
function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }): JSX.Element {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), SAYS_SO_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    // Browsers offer the clipboard only over HTTPS and on localhost.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    written.then(
      () => setState('copied'),
      () => setState('refused'),
    );
  };
  const says = { idle: label, copied: 'Copied', refused: 'Copy it manually' }[state];
  return (
    <button type="button" class="button" onClick={copy} aria-live="polite">
      {says}
    </button>
  );
}
