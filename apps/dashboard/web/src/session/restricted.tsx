import type { ComponentType, JSX } from 'preact';
import { Screen } from '../layout/screen.js';
import { Empty } from '../ui/empty.js';
import { type Doing, rolesThatMay, useMay, useMe } from './me.js';

/** A screen for those who may use it; the others are told what it takes, and the server is not asked. */
export function restricted(Shown: ComponentType, needs: Doing, title: string): () => JSX.Element {
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
