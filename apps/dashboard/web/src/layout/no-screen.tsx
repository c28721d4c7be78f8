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

/** Instead of a run that does not exist, or that the key may not see. */
export function NoRun({ id }: { id: number }): JSX.Element {
  return (
    <Screen title={`Run ${id}`}>
      <Empty title={`There is no run ${id}`}>
        <p>
          It may have been deleted, or it belongs to another key. <a href="/">All runs</a>
        </p>
      </Empty>
    </Screen>
  );
}
