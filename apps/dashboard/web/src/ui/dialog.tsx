import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Problem } from './when-answered.js';

interface DialogProps {
  title: string;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog. The browser's own: it traps the focus, and Escape closes it. */
export function Dialog({ title, wide = false, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const closed = useRef(onClose);
  closed.current = onClose;
  useEffect(() => {
    const { current } = dialog;
    if (current === null) return;
    current.showModal();
    const press = ({ target }: MouseEvent): void => {
      // Clicks on the backdrop target the dialog itself.
      if (target === current) current.close();
    };
    const close = (): void => closed.current();
    current.addEventListener('click', press);
    current.addEventListener('close', close);
    return () => {
      current.removeEventListener('click', press);
      // Another dialog may have replaced it already; leave that one alone.
      current.removeEventListener('close', close);
      // Restores the focus.
      current.close();
    };
  }, []);
  return (
    <dialog ref={dialog} class={wide ? 'wide' : ''} aria-labelledby={heading}>
      <div class="stack">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface FormDialogProps {
  title: string;
  onClose: () => void;
  /** Called with the entered values. */
  onSubmit: (form: FormData) => void;
  /** Label of the submit button. */
  action: string;
  /** Disables the submit button. */
  disabled: boolean;
  /** The error, and its title. */
  error: Error | null;
  failure: string;
  children: ComponentChildren;
}

/** A form in a dialog. */
export function FormDialog(props: FormDialogProps): JSX.Element {
  const { title, onClose, onSubmit, action, disabled, error, failure, children } = props;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onSubmit(new FormData(event.currentTarget as HTMLFormElement));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        {children}
        {error && <Problem error={error} title={failure} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={disabled}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface CreateDialogProps<T> {
  /** What is created: "policy". */
  what: string;
  /** The query that lists what there is, refreshed afterwards. */
  queryKey: readonly string[];
  create: (values: T) => Promise<unknown>;
  /** The entered values, as `create` takes them. */
  valuesOf: (form: FormData) => T;
  onClose: () => void;
  children: ComponentChildren;
}

/** A form that creates something. It closes when that is done. */
export function CreateDialog<T>(props: CreateDialogProps<T>): JSX.Element {
  const { what, queryKey, create, valuesOf, onClose, children } = props;
  const client = useQueryClient();
  const creating = useMutation({
    mutationFn: create,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey });
      onClose();
    },
  });
  return (
    <FormDialog
      title={`New ${what}`}
      onClose={onClose}
      onSubmit={(form) => creating.mutate(valuesOf(form))}
      action="Create"
      disabled={creating.isPending}
      error={creating.error}
      failure={`The ${what} was not created`}
    >
      {children}
    </FormDialog>
  );
}

interface ConfirmProps {
  /** Label of the button that opens the dialog. */
  label: string;
  title: string;
  /** What happens, and whether it can be undone. */
  children: ComponentChildren;
  /** Label of the confirming button. */
  does: string;
  small?: boolean;
  onConfirm: () => void;
}

/** A button that asks for confirmation. */
export function Confirm({
  label,
  title,
  children,
  does,
  small = false,
  onConfirm,
}: ConfirmProps): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" class={small ? 'button small' : 'button'} onClick={() => setAsking(true)}>
        {label}
      </button>
      {asking && (
        <Dialog title={title} onClose={() => setAsking(false)}>
          <p class="soft">{children}</p>
          <div class="actions">
            <button type="button" class="button" onClick={() => setAsking(false)}>
              Leave it
            </button>
            <button
              type="button"
              class="button primary"
              onClick={() => {
                setAsking(false);
                onConfirm();
              }}
            >
              {does}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
