import { useQueryClient } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { signOut } from '../api/access.js';
import { useBlur } from '../content/veil.js';
import { useMe } from '../session/me.js';
import { useStored } from '../ui/hooks.js';
import { useTeller } from '../ui/toasts.js';

/** Settings of this browser, and the signed-in user. */
export function Settings(): JSX.Element {
  const me = useMe();
  const client = useQueryClient();
  const { complain } = useTeller();
  const [blur, setBlur] = useBlur();
  const [theme, setTheme] = useTheme();
  const leave = (): void => {
    signOut().then(() => {
      client.clear();
      location.assign('/');
    }, complain);
  };
  return (
    <div class="settings">
      <label class="check" title="Blur texts until you reveal them">
        <input
          type="checkbox"
          checked={blur}
          onChange={({ currentTarget }) => setBlur(currentTarget.checked)}
        />
        Blur texts
      </label>
      <label class="check">
        <span class="visually-hidden">Colours</span>
        <select value={theme} onChange={({ currentTarget }) => setTheme(currentTarget.value)}>
          <option value="system">System</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      {me.keyless ? (
        <span class="who soft" title="No key exists yet: anyone on this machine is an administrator.">
          local, no key yet
        </span>
      ) : (
        <span class="row spread">
          <span class="who soft" title={`${me.name}, ${me.role}`}>
            {me.name}
          </span>
          <button type="button" class="button plain small" onClick={leave}>
            Sign out
          </button>
        </span>
      )}
    </div>
  );
}

/** Light, dark, or the system's theme. public/theme.js applies it, before the first paint and on changes. */
function useTheme(): [string, (theme: string) => void] {
  const [value, store] = useStored('theme');
  const choose = (theme: string): void => {
    store(theme === 'system' ? null : theme);
    dispatchEvent(new Event('tocsin-theme'));
  };
  return [value ?? 'system', choose];
}
