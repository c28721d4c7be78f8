import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { VisibleText, visibleString } from '../content/visible-text.js';
import { Empty } from '../ui/when-answered.js';

interface ScreenProps {
  /** May be user-supplied text. */
  title: string;
  /** Shown below the title. */
  about?: ComponentChildren;
  /** Buttons to the right of the title. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A screen with a title, also in the browser's tab. */
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

/** For unknown URLs. */
export function NoScreen(): JSX.Element {
  return (
    <Screen title="Page not found">
      <Empty title="Nothing at this address">
        <p>
          The link may be incomplete. <a href="/">All runs</a>
        </p>
      </Empty>
    </Screen>
  );
}

/** For a run that does not exist or that the key may not see. */
export function NoRun({ id }: { id: number }): JSX.Element {
  return (
    <Screen title={`Run ${id}`}>
      <Empty title={`Run ${id} not found`}>
        <p>
          It may have been deleted, or it may belong to another key. <a href="/">All runs</a>
        </p>
      </Empty>
    </Screen>
  );
}
