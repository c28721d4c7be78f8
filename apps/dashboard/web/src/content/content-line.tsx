import type { StoredContent } from '@tocsin/contract';
import type { JSX } from 'preact';
import { partsOf } from './parts.js';
import { useBlur } from './veil.js';
import { VisibleText } from './visible-text.js';

/** Parts shown per table row. */
const SHOWN = 3;

/** The beginning of an item in a list: a text on two lines, or one message per line. */
export function ContentLine({ content }: { content: StoredContent }): JSX.Element {
  const [blur] = useBlur();
  const parts = partsOf(content);
  const blurred = blur ? ' blurred' : '';
  const [only] = parts;
  if (only !== undefined && only.name === undefined) {
    if (only.text === '') return <span class="faint">Empty</span>;
    return (
      <span class={`content line${blurred}`} dir="auto">
        <VisibleText text={only.text} />
      </span>
    );
  }
  return (
    <span class="said">
      {parts.slice(0, SHOWN).map(({ name = '', text }, at) => (
        <span class="said-part" key={at}>
          <span class="said-name">
            <VisibleText text={name} />
          </span>{' '}
          {text === '' ? (
            <span class="faint">Empty</span>
          ) : (
            <span class={`content line one${blurred}`} dir="auto">
              <VisibleText text={text} />
            </span>
          )}
        </span>
      ))}
      {parts.length > SHOWN && <span class="faint small">More messages follow</span>}
    </span>
  );
}
