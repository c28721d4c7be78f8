import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren, JSX } from 'preact';
import { ApiError } from '../api/api-error.js';
import { meAsk } from '../api/session.js';
import { Problem } from '../ui/problem.js';
import { MeContext } from './me.js';
import { SignIn } from './sign-in.js';

/** Shows the page to who is signed in, and the sign-in to who is not. */
export function SignedIn({ children }: { children: ComponentChildren }): JSX.Element | null {
  const me = useQuery(meAsk());
  const signedOut = me.error instanceof ApiError && me.error.status === 401;
  if (signedOut) return <SignIn />;
  if (me.data !== undefined) return <MeContext.Provider value={me.data}>{children}</MeContext.Provider>;
  if (me.error) {
    return (
      <main class="alone">
        <Problem error={me.error} title="The page cannot begin" onRetry={() => void me.refetch()} />
      </main>
    );
  }
  return null;
}
