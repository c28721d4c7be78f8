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
