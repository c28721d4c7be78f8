import type { Me, Role } from '@tocsin/contract';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export const MeContext = createContext<Me | undefined>(undefined);

/** Who is signed in. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (me === undefined) throw new Error('useMe is called outside of SignedIn');
  return me;
}

const MAY: Record<'submit' | 'oversee' | 'review' | 'administer', readonly Role[]> = {
  submit: ['submit', 'admin'],
  oversee: ['read', 'review', 'admin'],
  review: ['review', 'admin'],
  administer: ['admin'],
};

export type PageAction = keyof typeof MAY;

/** e.g. "review or admin". */
export function rolesThatMay(what: PageAction): string {
  return MAY[what].join(' or ');
}

export function may(role: Role, what: PageAction): boolean {
  return MAY[what].includes(role);
}

/** Whether the user may do something. Only hides controls: the server checks every request. */
export function useMay(what: PageAction): boolean {
  return may(useMe().role, what);
}
