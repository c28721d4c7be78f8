import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { may, type PageAction, useMe } from '../session/me.js';
import { Settings } from './settings.js';

/** The page's mark: a tocsin is an alarm bell. */
export function Bell(): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
      <path
        fill="currentColor"
        d="M8 1a1 1 0 0 0-1 1v.6A4.5 4.5 0 0 0 3.5 7v2.6L2.2 12a.7.7 0 0 0 .6 1h10.4a.7.7 0 0 0 .6-1l-1.3-2.4V7A4.5 4.5 0 0 0 9 2.6V2a1 1 0 0 0-1-1Zm-1.7 13a1.8 1.8 0 0 0 3.4 0Z"
      />
    </svg>
  );
}

interface Place {
  href: string;
  label: string;
  /** Shown only to users with this permission. */
  needs?: PageAction;
}

const WORK: readonly Place[] = [
  { href: '/', label: 'Runs' },
  { href: '/review', label: 'Review', needs: 'oversee' },
  { href: '/policies', label: 'Policies' },
];
const SETUP: readonly Place[] = [
  { href: '/guards', label: 'Guards' },
  { href: '/schedules', label: 'Schedules', needs: 'oversee' },
  { href: '/keys', label: 'Keys', needs: 'administer' },
  { href: '/audit', label: 'Audit log', needs: 'administer' },
];

/** Header, navigation and main area around every screen. */
export function Frame({ children }: { children: ComponentChildren }): JSX.Element {
  const { path } = useLocation();
  const me = useMe();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // Move the focus, so that screen readers start at the top of a new screen.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  const places = (all: readonly Place[]): JSX.Element[] =>
    all
      .filter(({ needs }) => needs === undefined || may(me.role, needs))
      .map(({ href, label }) => (
        <a key={href} href={href} aria-current={isAt(path, href) ? 'page' : undefined}>
          {label}
        </a>
      ));
  return (
    <div class="frame">
      <a class="skip button" href="#main">
        Skip to content
      </a>
      <header class="side">
        <a class="mark" href="/">
          <Bell />
          Tocsin
        </a>
        <nav aria-label="Screens">
          {places(WORK)}
          <hr />
          {places(SETUP)}
        </nav>
        <Settings />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function isAt(path: string, href: string): boolean {
  if (href === '/') return path === '/' || path.startsWith('/runs/');
  return path === href || path.startsWith(`${href}/`);
}
