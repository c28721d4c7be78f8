import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useMe } from '../session/me.js';

/** Attributes that tie a control to its label. */
interface ControlProps {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean;
}

interface FieldProps {
  label: string;
  help?: string;
  /** Why the value is invalid. */
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

/** The name of a policy or schedule. */
export function NameField(): JSX.Element {
  return (
    <Field label="Name" help="Letters, digits, dots, dashes and underscores.">
      {(control) => (
        <input
          {...control}
          name="name"
          required
          maxLength={64}
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          autocomplete="off"
        />
      )}
    </Field>
  );
}

/** A choice of the server's guards. */
export function GuardField(): JSX.Element {
  const { guards } = useMe();
  return (
    <Field label="Guard">
      {(control) => (
        <select {...control} name="guard">
          {guards.map((guard) => (
            <option key={guard} value={guard}>
              {guard}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
