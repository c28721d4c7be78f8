import type { StoredContent } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { count } from '../format.js';
import { partsOf, shorten } from './parts.js';
import { VisibleText } from './visible-text.js';

/** An item: a text, a prompt and its response, or messages. */
export function StoredText({ content }: { content: StoredContent }): JSX.Element {
  const parts = partsOf(content);
  return (
    <div>
      {parts.map(({ name, text }, at) => (
        <div class="part" key={at}>
          {name !== undefined && (
            <h3>
              <VisibleText text={name} />
            </h3>
          )}
          {text === '' ? <p class="faint">Empty</p> : <LongText text={text} />}
        </div>
      ))}
    </div>
  );
}

const FIRST = 4000;
/** Browsers lay out this much text without a noticeable pause. */
const STEP = 100_000;

/** A text of any length, in its own direction; a very long one is shown in steps. */
function LongText({ text }: { text: string }): JSX.Element {
  const [limit, setLimit] = useState(FIRST);
  const shown = shorten(text, limit);
  const left = text.length - shown.length;
  return (
    <>
      <div class="content full" dir="auto">
        <VisibleText text={shown} />
        {left > 0 && '\u2026'}
      </div>
      {left > 0 && (
        <button
          type="button"
          class="button small content-more"
          onClick={() => setLimit((now) => (now === FIRST ? STEP : now + STEP))}
        >
          {left <= STEP
            ? `Show all ${count(text.length)} characters`
            : `Show ${count(STEP)} more of ${count(text.length)} characters`}
        </button>
      )}
    </>
  );
}
