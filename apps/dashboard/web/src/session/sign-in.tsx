import { useMutation, useQuery, useQueryClient } from '@tanstack/preact-query';
import type { ComponentChildren, ComponentType, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { meAsk, signIn } from '../api/access.js';
import { ApiError } from '../api/request.js';
import { Bell } from '../layout/frame.js';
import { Screen } from '../layout/screen.js';
import { Field } from '../ui/field.js';
import { Empty, Problem, wordsOf } from '../ui/when-answered.js';
import { MeContext, type PageAction, rolesThatMay, useMay, useMe } from './me.js';

/** Shows the page when signed in, else the sign-in. */
export function SignedIn({ children }: { children: ComponentChildren }): JSX.Element | null {
  const me = useQuery(meAsk());
  const signedOut = me.error instanceof ApiError && me.error.status === 401;
  if (signedOut) return <SignIn />;
  if (me.data !== undefined) return <MeContext.Provider value={me.data}>{children}</MeContext.Provider>;
  if (me.error) {
    return (
      <main class="alone">
        <Problem error={me.error} title="Cannot load the page" onRetry={() => void me.refetch()} />
      </main>
    );
  }
  return null;
}

/** Exchanges a key for a session cookie that scripts cannot read. */
function SignIn(): JSX.Element {
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
          help="It starts with tcs_. Ask an administrator of this server for one."
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

/** A screen that needs a permission; without it, shows the required role and sends no requests. */
export function restricted(Shown: ComponentType, needs: PageAction, title: string): () => JSX.Element {
  return function Restricted() {
    const { name, role } = useMe();
    if (useMay(needs)) return <Shown />;
    return (
      <Screen title={title}>
        <Empty title="Your key may not see this">
          <p>
            The key {name} has the role {role}. This screen needs the role {rolesThatMay(needs)}.
          </p>
        </Empty>
      </Screen>
    );
  };
}
