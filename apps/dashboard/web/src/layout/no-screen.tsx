import type { JSX } from 'preact';
import { Empty } from '../ui/empty.js';
import { Screen } from './screen.js';

/** For addresses that lead nowhere. */
export function NoScreen(): JSX.Element {
  return (
    <Screen title="No such page">
      <Empty title="There is nothing at this address">
        <p>
          Perhaps it was cut short. <a href="/">All runs</a>
        </p>
      </Empty>
    </Screen>
  );
}
