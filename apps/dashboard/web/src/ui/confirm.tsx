import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.js';

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
