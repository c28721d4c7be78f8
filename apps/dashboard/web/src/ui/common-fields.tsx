import type { JSX } from 'preact';
import { useMe } from '../session/me.js';
import { Field } from './field.js';

/** The name of something that is addressed by it: a policy, a schedule. */
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

/** One of the guards that the server offers. */
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
