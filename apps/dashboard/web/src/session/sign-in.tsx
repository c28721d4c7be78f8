import { useMutation, useQueryClient } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { signIn } from '../api/session.js';
import { Bell } from '../layout/bell.js';
import { Field } from '../ui/field.js';
import { wordsOf } from '../ui/problem.js';

/** Takes a key once; from then on a cookie that no script can read says who it is. */
export function SignIn(): JSX.Element {
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const entering = useMutation({
    mutationFn: signIn,
    onSuccess: () => client.resetQueries(),
    onError: () => input.current?.select(),
  });
  useEffect(() => {
    document.title = 'Sign in \u00b7 Tocsin';
    input.current?.focus();
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    entering.mutate(input.current?.value.trim() ?? '');
  };
  return (
    <main class="alone">
      <form class="sign-in" onSubmit={submit}>
        <p class="mark">
          <Bell />
          Tocsin
        </p>
        <h1>Sign in</h1>
        <Field
          label="API key"
          help="It begins with tcs_. Whoever administers this server makes one for you."
          wrong={entering.error ? wordsOf(entering.error) : undefined}
        >
          {(control) => (
            <input
              {...control}
              ref={input}
              type="password"
              name="key"
              autocomplete="current-password"
              spellcheck={false}
              required
            />
          )}
        </Field>
        <button type="submit" class="button primary" disabled={entering.isPending}>
          {entering.isPending ? 'Signing in\u2026' : 'Sign in'}
        </button>
        <p class="small soft">
          On the server itself: <code>tocsin keys create --role admin</code>
        </p>
      </form>
    </main>
  );
}
