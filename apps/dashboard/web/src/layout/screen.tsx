import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { visibleString } from '../content/visible.js';
import { VisibleText } from '../content/visible-text.js';
import { Empty } from '../ui/when-answered.js';

interface ScreenProps {
  /** Perhaps somebody else's words. */
  title: string;
  /** What to say of it beneath the title. */
  about?: ComponentChildren;
  /** What can be done, to the right of the title. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A screen: its title, also in the browser's tab, and what is below. */
export function Screen({ title, about, actions, children }: ScreenProps): JSX.Element {
  useEffect(() => {
    document.title = `${visibleString(title)} \u00b7 Tocsin`;
  }, [title]);
  return (
    <div class="screen">
      <div class="screen-head">
        <div>
          <h1 dir="auto">
            <VisibleText text={title} />
          </h1>
          {about !== undefined && <div class="facts">{about}</div>}
        </div>
        {actions !== undefined && <div class="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

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
