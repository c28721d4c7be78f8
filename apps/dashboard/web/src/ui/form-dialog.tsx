import type { ComponentChildren, JSX } from 'preact';
import { Dialog } from './dialog.js';
import { Problem } from './problem.js';

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
