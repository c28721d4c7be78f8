import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Problem } from './when-answered.js';

interface DialogProps {
  title: string;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/** Something to settle first. The browser's own dialog: focus stays in it, Escape leaves it. */
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
      // The backdrop belongs to the dialog itself.
      if (target === current) current.close();
    };
    const close = (): void => closed.current();
    current.addEventListener('click', press);
    current.addEventListener('close', close);
    return () => {
      current.removeEventListener('click', press);
      // Another dialog may be in its place already: that one is not meant.
      current.removeEventListener('close', close);
      // Gives the focus back to where it was.
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
  /** Told what was entered. */
  onSubmit: (form: FormData) => void;
  /** What the button that submits it says. */
  action: string;
  /** It cannot be submitted now. */
  disabled: boolean;
  /** Why it was not taken, and how that is called. */
  error: Error | null;
  failure: string;
  children: ComponentChildren;
}

/** A form to fill in, in a dialog. */
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

interface ConfirmProps {
  /** On the button that asks. */
  label: string;
  title: string;
  /** What will happen, and whether it can be undone. */
  children: ComponentChildren;
  /** On the button that does it. */
  does: string;
  small?: boolean;
  onConfirm: () => void;
}

/** A button that asks before it does. */
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
