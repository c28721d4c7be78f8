import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

/** What a control needs to belong to its label. */
interface ControlProps {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean;
}

interface FieldProps {
  label: string;
  help?: string;
  /** Why what was entered cannot be taken. */
  wrong?: string;
  children: (control: ControlProps) => ComponentChildren;
}

/** A labelled control. */
export function Field({ label, help, wrong, children }: FieldProps): JSX.Element {
  const id = useId();
  const about = wrong ?? help;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        'aria-describedby': about === undefined ? undefined : `${id}-about`,
        'aria-invalid': wrong !== undefined,
      })}
      {about !== undefined && (
        <span id={`${id}-about`} class={wrong === undefined ? 'help' : 'wrong'}>
          {about}
        </span>
      )}
    </div>
  );
}
