import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

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
  useEffect(() => {
    const { current } = dialog;
    if (current === null) return;
    current.showModal();
    const press = ({ target }: MouseEvent): void => {
      // The backdrop belongs to the dialog itself.
      if (target === current) current.close();
    };
    current.addEventListener('click', press);
    return () => {
      current.removeEventListener('click', press);
      // Gives the focus back to where it was.
      current.close();
    };
  }, []);
  return (
    <dialog ref={dialog} class={wide ? 'wide' : ''} aria-labelledby={heading} onClose={onClose}>
      <div class="stack">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
